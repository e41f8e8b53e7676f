// API keys: made (shown once), listed, revoked.
import { z } from 'zod'
import { TouchstoneError } from '../../errors.ts'
import { callerOf } from '../access.ts'
import { callerSchema, createdKeySchema, keyBodySchema, keyParamsSchema, keysSchema } from '../contract.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import { createApiKey } from '../secrets.ts'
import type { Api, RouteServices } from '../services.ts'
import { ROLES } from '../../domain/access.ts'

const KEEPERS = ['operator', 'admin'] as const

export function keyRoutes(api: Api, { keys, authenticator, reference }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/keys',
    config: { access: KEEPERS },
    schema: {
      tags: ['keys'],
      summary: 'All keys, without the secrets',
      response: { 200: keysSchema, ...PROBLEM_RESPONSES },
    },
    handler: async () => ({ items: await keys.list() }),
  })

  api.route({
    method: 'POST',
    url: '/v1/keys',
    config: { access: KEEPERS },
    schema: {
      tags: ['keys'],
      summary: 'Make a key; the answer is the only place that shows it',
      body: keyBodySchema,
      response: { 201: createdKeySchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { role, brandIds, marketplace } = request.body
      // Else an operator could make itself an administrator.
      if (role === 'admin' && callerOf(request).role !== 'admin') {
        throw new TouchstoneError('forbidden', 'only an administrator may make a key with the role admin')
      }
      for (const [i, brandId] of brandIds.entries()) {
        if ((await reference.brand(brandId)) === undefined)
          throw new TouchstoneError('invalid', `brandIds[${i}]: there is no brand ${brandId}`, {
            path: `/brandIds/${i}`,
          })
      }
      const { keyId, key, hash } = createApiKey()
      const bound = marketplace === undefined ? {} : { marketplace }
      await keys.create({ keyId, role, brandIds, ...bound }, hash)
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ keyId, key, role, brandIds, ...bound })
    },
  })

  api.route({
    method: 'DELETE',
    url: '/v1/keys/:keyId',
    config: { access: KEEPERS },
    schema: {
      tags: ['keys'],
      summary: 'Revoke a key; it is refused within two seconds, and so are the sessions that it opened',
      params: keyParamsSchema,
      response: { 204: z.null(), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { keyId } = request.params
      if (callerOf(request).role !== 'admin') {
        const key = (await keys.list()).find((k) => k.keyId === keyId)
        if (key?.role === 'admin')
          throw new TouchstoneError('forbidden', 'only an administrator may revoke a key with the role admin')
      }
      if (!(await keys.revoke(keyId))) throw new TouchstoneError('not-found', 'there is no such key')
      authenticator.forget()
      return reply.code(204).send(null)
    },
  })

  api.route({
    method: 'GET',
    url: '/v1/session',
    config: { access: ROLES },
    schema: { tags: ['keys'], summary: 'Who the caller is', response: { 200: callerSchema, ...PROBLEM_RESPONSES } },
    handler: async (request, reply) => {
      const { subject, role, brandIds, marketplace } = callerOf(request)
      const bound = marketplace === undefined ? {} : { marketplace }
      return reply.header('cache-control', 'no-store').send({ subject, role, brandIds: [...brandIds], ...bound })
    },
  })
}
