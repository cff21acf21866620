// The way back leads to where one was. The lists come later than the document, so the browser's own memory finds a page
// that is too short.
const prefix = 'scroll:';
const patience = 5000;

history.scrollRestoration = 'manual';

const key = () => `${prefix}${history.state?._index ?? 0}:${location.pathname}${location.search}`;

let waiting = 0;
addEventListener('scroll', () => {
  clearTimeout(waiting);
  const page = key();
  // Not what a page shows that is being left.
  waiting = setTimeout(() => { if (page === key()) sessionStorage.setItem(page, scrollY); }, 100);
}, { passive: true });

function restore() {
  const page = key();
  const target = Number(sessionStorage.getItem(page) ?? 0);
  if (target === 0) return;
  const until = performance.now() + patience;
  let left = false, held = 0;
  for (const event of ['wheel', 'touchstart', 'keydown', 'mousedown']) {
    addEventListener(event, () => { left = true; }, { once: true, passive: true });
  }
  (function attempt() {
    if (left || page !== key() || performance.now() > until) return;
    const there = Math.abs(scrollY - target) < 2;
    // The heading gets the focus after the page is drawn, which scrolls once more.
    held = there ? held + 1 : 0;
    if (held > 8) return;
    const fits = document.documentElement.scrollHeight >= target + innerHeight;
    if (!there && fits) scrollTo({ top: target, behavior: 'instant' });
    setTimeout(attempt, 50);
  })();
}

addEventListener('popstate', restore);
const [navigation] = performance.getEntriesByType('navigation');
if (navigation && navigation.type !== 'navigate') restore();
