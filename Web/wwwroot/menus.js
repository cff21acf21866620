// Escape closes a menu and gives the focus back to its button. MudBlazor does so in the menu alone: on the button,
// where a click leaves the focus, it takes Escape for a way into the menu.
const focusPatience = 1000;

addEventListener('keydown', event => {
  if (event.key !== 'Escape') return;
  const menu = event.target.closest?.('[role=menu]');
  const button = menu
    ? document.querySelector(`[aria-controls="${menu.id}"]`)
    : event.target.closest?.('[aria-haspopup=menu][aria-expanded=true]');
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  button.click();
  keepFocus(button);
}, { capture: true });

// A key that came just before reaches the menu later, and would move the focus to what nobody sees any more.
function keepFocus(button) {
  const until = performance.now() + focusPatience;
  let isClosed = false;
  (function attempt() {
    const isOpen = button.getAttribute('aria-expanded') === 'true';
    if (performance.now() > until || (isClosed && isOpen)) return;
    isClosed ||= !isOpen;
    const at = document.activeElement;
    if (at === document.body || at.closest('[role=menu]')) button.focus();
    else if (at !== button) return;
    setTimeout(attempt, 50);
  })();
}
