// A QR code brings its digits behind the "#", where no server sees them: they go into the field, and out of the address.
const digits = location.hash.slice(1);
if (/^\d{12}$/.test(digits)) {
  document.getElementById("code").value = digits.replace(/(\d{4})(?=\d)/g, "$1 ");
  history.replaceState(null, "", location.pathname + location.search);
}
