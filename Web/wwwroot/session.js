// Pages inside a circuit send no cookie, so its time would run out in the middle of the work. A window that somebody
// has used since the last time says so.
const every = 15 * 60 * 1000;

let used = false;
for (const event of ['keydown', 'mousedown', 'touchstart', 'wheel']) {
  addEventListener(event, () => { used = true; }, { passive: true });
}

setInterval(() => {
  if (used) fetch('session', { cache: 'no-store', redirect: 'manual' }).catch(() => {});
  used = false;
}, every);
