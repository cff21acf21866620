// The server writes times, and only the browser knows the reader's time zone. A cookie, because a circuit inherits it
// from the request that opens it.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone) document.cookie = `zone=${timeZone}; path=/; max-age=31536000; samesite=lax`;
