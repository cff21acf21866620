const dialog = document.getElementById('components-reconnect-modal');

dialog.addEventListener('components-reconnect-state-changed', event => {
  switch (event.detail.state) {
    case 'show':
      if (!dialog.open) dialog.showModal();
      break;
    case 'hide':
      dialog.close();
      break;
    case 'failed':
      document.addEventListener('visibilitychange', retryWhenVisible);
      break;
    case 'rejected':
      // The server answers, but has forgotten this circuit: a new one it is.
      location.reload();
      break;
  }
});

// Escape would hide the words and leave a page that doesn't react.
dialog.addEventListener('cancel', event => event.preventDefault());
dialog.querySelector('[data-connection=retry]').addEventListener('click', retry);
dialog.querySelector('[data-connection=resume]').addEventListener('click', resume);

async function retry() {
  document.removeEventListener('visibilitychange', retryWhenVisible);
  try {
    // True: connected. False: the server answers, but not to this circuit. An exception: no answer.
    if (!await Blazor.reconnect()) await resume();
  } catch {
    document.addEventListener('visibilitychange', retryWhenVisible);
  }
}

async function resume() {
  try {
    if (await Blazor.resumeCircuit()) dialog.close();
    else location.reload();
  } catch {
    location.reload();
  }
}

function retryWhenVisible() {
  if (document.visibilityState === 'visible') retry();
}
