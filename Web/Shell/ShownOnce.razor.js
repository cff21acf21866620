// False where the browser refuses, for example without https: the text is selected then.
export async function copy(id) {
  select(id);
  try {
    await navigator.clipboard.writeText(document.getElementById(id).value);
    return true;
  } catch {
    return false;
  }
}

export function select(id) {
  document.getElementById(id)?.select();
}
