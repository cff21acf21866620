// The browser's own dialog; print.css says what of the page goes on paper.
export function print() {
  window.print();
}
