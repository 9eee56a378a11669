// Push messages in this browser: the buttons stand there only where it can.
const box = document.getElementById("push");
if (box && "serviceWorker" in navigator && "PushManager" in window) {
  const [on, off, refused, none] = ["push-on", "push-off", "push-refused", "push-none"].map((id) => document.getElementById(id));
  const token = box.closest("form").elements.csrf_token.value;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  const tell = (address, values) =>
    fetch(address, { method: "POST", body: new URLSearchParams({ csrf_token: token, ...values }) }).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
    });
  const show = (subscribed) => { none.hidden = true; on.hidden = subscribed; off.hidden = !subscribed; };
  const failed = () => { refused.hidden = false; };
  navigator.serviceWorker.register(box.dataset.worker).then(async (worker) => {
    show(Boolean(await worker.pushManager.getSubscription()));
    on.addEventListener("click", async () => {
      try {
        const options = { userVisibleOnly: true, applicationServerKey: bytes(box.dataset.key) };
        const made = (await worker.pushManager.subscribe(options)).toJSON();
        await tell(box.dataset.allow, { endpoint: made.endpoint, p256dh: made.keys.p256dh, auth: made.keys.auth });
        location.reload();
      } catch { failed(); }
    });
    off.addEventListener("click", async () => {
      try {
        const made = await worker.pushManager.getSubscription();
        await tell(box.dataset.forbid, { endpoint: made.endpoint });
        await made.unsubscribe();
        location.reload();
      } catch { failed(); }
    });
  }, failed);
}
