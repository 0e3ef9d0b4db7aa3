"use strict";
// The cookie stands for the token from here on, so the address bar need not show it.
history.replaceState(null, "", location.pathname);
// Relative to what the browser calls this place: behind a forwarded port that is another port than ours.
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  new URL("ws", location.href.replace(/^http/, "ws")).href;
document.getElementById("again").addEventListener("click", () => location.reload());
