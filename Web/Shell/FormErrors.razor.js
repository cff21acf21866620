// Whoever works with the keyboard or a screen reader is taken to what is wrong.
export function focusFirst() {
  document.querySelector('form [aria-invalid="true"]')?.focus();
}
