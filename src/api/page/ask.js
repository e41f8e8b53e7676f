// Questions to the API, as the page's own session: what it answers, or that it does not. Nothing here throws.

/** @returns {Promise<{ status: number, body?: any }>} `status` 0: the service cannot be reached. */
export async function ask(path) {
  return answered(() => fetch(path))
}

/** Sends what somebody said; the browser adds the session, and says where it comes from. */
export async function send(path, body) {
  return answered(() =>
    fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  )
}

let ended = false

/** Whether the service knew of no session when it answered last. */
export const isEnded = () => ended

async function answered(call) {
  try {
    const response = await call()
    ended = response.status === 401
    return { status: response.status, body: await response.json() }
  } catch {
    return { status: 0 }
  }
}

export const part = (text) => encodeURIComponent(text)

/** Who may see pictures and cases at all; which of them, the service says. */
export const reviews = (session) => ['analyst', 'brand', 'admin'].includes(session?.role)
