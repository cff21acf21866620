export function submit(form) {
  form.requestSubmit();
}
