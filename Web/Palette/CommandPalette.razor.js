const listeners = new WeakMap();

// The browser opens it by itself: what is typed from the first moment on arrives.
export function listen(button, dialog, input, palette) {
  const open = () => {
    if (document.querySelector('dialog[open]')) return;
    input.value = '';
    dialog.showModal();
    input.focus();
    palette.invokeMethodAsync('Opened');
  };
  // Ctrl+K and, on a Mac, Command+K. The browser's own meaning of them gives way.
  const onKey = event => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else open();
    }
  };
  document.addEventListener('keydown', onKey);
  listeners.set(dialog, onKey);
  button.addEventListener('click', open);
  dialog.addEventListener('close', () => palette.invokeMethodAsync('Closed'));
  // A click beside it. What lies in it covers it wholly.
  dialog.addEventListener('click', event => event.target === dialog && dialog.close());
  // The arrows choose; the cursor stays where it is, and so does the focus: there is nothing else to go to.
  dialog.addEventListener('keydown', event => {
    if (['ArrowUp', 'ArrowDown', 'Tab'].includes(event.key)) event.preventDefault();
  });
  new MutationObserver(() =>
    dialog.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  ).observe(dialog, { subtree: true, attributeFilter: ['aria-selected'] });
}

export function close(dialog) {
  dialog.close();
}

export function forget(dialog) {
  document.removeEventListener('keydown', listeners.get(dialog));
}
