// A cookie, because the server writes the document and must know the theme before it does.
export function remember(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.dataset.theme = theme;
}

export function focusContent() {
  document.getElementById('content')?.focus();
}
