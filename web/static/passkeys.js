// Passkeys: a form with the id "passkey" stands there only where the browser can. Its button asks the device to sign.
const box = document.getElementById("passkey");
if (box && window.PublicKeyCredential && navigator.credentials) {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((it) => ({ ...it, id: bytes(it.id) }));
  const question = async () => {
    const body = new URLSearchParams({ csrf_token: box.elements.csrf_token.value });
    const answer = await fetch(box.dataset.ask, { method: "POST", body });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const it = await answer.json();
    it.challenge = bytes(it.challenge);
    if (it.user) it.user.id = bytes(it.user.id);
    for (const name of ["allowCredentials", "excludeCredentials"]) if (it[name]) it[name] = known(it[name]);
    return it;
  };
  const signed = (key) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (key.response[name]) response[name] = text(key.response[name]);
    }
    return JSON.stringify({ id: key.id, rawId: text(key.rawId), type: key.type, response });
  };
  let busy = false;
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    for (const words of box.querySelectorAll("[data-failed]")) words.hidden = true;
    try {
      const options = { publicKey: await question() };
      const key = await (box.dataset.make ? navigator.credentials.create(options) : navigator.credentials.get(options));
      box.querySelector("[data-answer]").value = signed(key);
      box.submit();
    } catch (error) {
      const words = box.querySelector(error.name === "InvalidStateError" ? "[data-failed=twice]" : "[data-failed=any]");
      if (words) words.hidden = false;
    }
    busy = false;
  });
  box.hidden = false;
  const cannot = document.getElementById("passkey-cannot");
  if (cannot) cannot.hidden = true;
}
