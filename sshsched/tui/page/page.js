"use strict";
// The cookie stands for the token from here on, so the address bar need not show it.
history.replaceState(null, "", location.pathname);
// Relative to what the browser calls this place: behind a forwarded port that is another port than ours.
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  new URL("ws", location.href.replace(/^http/, "ws")).href;
document.getElementById("again").addEventListener("click", () => location.reload());
// Keys go to the screen without a click first; before the socket is open, textual-serve could not tell of the focus.
new MutationObserver((_, observer) => {
  if (document.body.classList.contains("-first-byte")) {
    observer.disconnect();
    document.querySelector(".xterm-helper-textarea").focus();
  }
}).observe(document.body, { attributeFilter: ["class"] });
