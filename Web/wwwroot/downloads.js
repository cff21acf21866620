// A link with the attribute download saves whatever comes, the form to sign in and an error included. So the console is
// asked first. A link without it would be the circuit's, which has no such page.
addEventListener('click', async event => {
  const link = event.target.closest?.('a[download][href^="/operations/"]');
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const address = link.getAttribute('href');
  let answer;
  try {
    answer = await fetch(address, { method: 'HEAD', redirect: 'manual', cache: 'no-store' });
  } catch {
    // Without an answer, the browser says what is wrong.
  }
  if (answer?.ok) {
    // It isn't in the document, so its click doesn't come here.
    Object.assign(document.createElement('a'), { href: address, download: '' }).click();
  } else if (answer?.type === 'opaqueredirect' || answer?.status === 401) {
    location.assign(`/sign-in?ReturnUrl=${encodeURIComponent(location.pathname + location.search)}`);
  } else {
    location.assign(address);
  }
}, { capture: true });
