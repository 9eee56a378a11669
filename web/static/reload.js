// A page that shows work going on looks again every three seconds, while it is in front and nobody is in the middle of a form.
"use strict";
(() => {
  const again = () => {
    const busy = document.hidden || document.activeElement?.closest("form");
    if (busy) setTimeout(again, 3000);
    else location.reload();
  };
  setTimeout(again, 3000);
})();
