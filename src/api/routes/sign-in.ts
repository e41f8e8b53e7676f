// Signing in on the page: a one-time link or an API key becomes a session cookie; signing out ends it.
import { z } from 'zod'
import type { Caller } from '../../domain/access.ts'
import { TouchstoneError } from '../../errors.ts'
import { requireSameOrigin } from '../access.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import { createSecret, hashSecret, isSecret } from '../secrets.ts'
import type { Api, RouteServices } from '../services.ts'

/** A working day: long enough not to interrupt one, short enough that a forgotten browser is not a key for ever. */
const SESSION_SECONDS = 12 * 3_600

const signInSchema = z.union([
  z.object({ token: z.string().max(200).describe('Of a one-time sign-in link.') }),
  z.object({ key: z.string().max(200).describe('An API key.') }),
])

export function signInRoutes(api: Api, services: RouteServices): void {
  const { authenticator, sessions, cookieName, publicOrigin } = services
  const cookie = {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: publicOrigin?.startsWith('https:') === true,
  } as const

  // The link itself is a page (routes/page.ts): opening it changes nothing, so a previewer cannot use the link up.
  api.route({
    method: 'POST',
    url: '/sign-in',
    config: { access: 'open' },
    schema: {
      tags: ['sessions'],
      summary: 'Open a session with a one-time token or an API key',
      body: signInSchema,
      response: { 204: z.null(), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      // Programs send neither header; a browser on a foreign page must not sign anyone in as somebody else.
      if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
        requireSameOrigin(request, publicOrigin)
      }
      const { body } = request
      const caller: Caller | undefined =
        'token' in body
          ? await authenticator.callerOfToken(body.token, request, reply)
          : await authenticator.callerOfKey(body.key, request, reply)
      if (caller === undefined) {
        const what =
          'token' in body ? 'the link was used before, is too old or is not complete' : 'the key is unknown or revoked'
        throw new TouchstoneError('unauthorized', what)
      }
      const { secret, hash } = createSecret()
      await sessions.create(hash, caller, SESSION_SECONDS, false)
      void reply.setCookie(cookieName, secret, { ...cookie, maxAge: SESSION_SECONDS })
      return reply.code(204).header('cache-control', 'no-store').send(null)
    },
  })

  api.route({
    method: 'POST',
    url: '/sign-out',
    config: { access: 'open' },
    schema: { tags: ['sessions'], summary: 'End the session', response: { 204: z.null(), ...PROBLEM_RESPONSES } },
    handler: async (request, reply) => {
      const secret = request.cookies[cookieName]
      if (secret !== undefined) {
        requireSameOrigin(request, publicOrigin)
        if (isSecret(secret)) await sessions.end(hashSecret(secret))
        authenticator.forget()
      }
      return reply.code(204).clearCookie(cookieName, cookie).send(null)
    },
  })
}
