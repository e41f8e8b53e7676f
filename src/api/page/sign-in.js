// A one-time sign-in link: opening the page changes nothing, this request does, so previews of the link cannot use it up.

const token = new URLSearchParams(location.search).get('token')
const message = document.getElementById('message')
const go = document.getElementById('go')
// The token leaves the address bar and the history; it is of no use twice anyway.
history.replaceState(null, '', '/sign-in')

async function signIn() {
  if (token === null) {
    message.textContent = 'This link is not complete: it has no token.'
    go.hidden = true
    return
  }
  go.disabled = true
  message.textContent = 'Signing in…'
  try {
    const response = await fetch('/sign-in', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    })
    if (response.ok) {
      location.replace('/')
      return
    }
    const { detail } = await response.json()
    message.textContent = `Not signed in: ${detail}. Restart the service for a new link, or use an API key.`
    go.hidden = response.status === 401
  } catch {
    message.textContent = 'The service cannot be reached. Try again.'
  }
  go.disabled = false
}

document.getElementById('link-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void signIn()
})
void signIn()
