export function isHidden() {
  return document.hidden;
}
