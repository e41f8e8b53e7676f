// A kept picture, re-encoded by us: whoever reviews never loads a stranger's bytes, nor tells a stranger that they look.
import { createHash } from 'node:crypto'
import { TouchstoneError } from '../../errors.ts'
import { callerOf } from '../access.ts'
import { pictureParamsSchema } from '../bank-contract.ts'
import { PROBLEM_RESPONSES, textResponse } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'
import { bankScope } from './banks.ts'

export function pictureRoutes(api: Api, { keptPictures }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/pictures/:sha256',
    config: { access: ['analyst', 'brand', 'admin'] },
    schema: {
      tags: ['cases'],
      summary: 'A picture of a case or a bank, as WebP of at most 768 pixels a side',
      description: 'The role brand sees those of its own banks and of cases about its brands.',
      params: pictureParamsSchema,
      response: { 200: textResponse('image/webp', 'The picture.'), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { sha256 } = request.params
      const kept = await keptPictures.body(sha256, bankScope(callerOf(request)))
      if (kept === undefined) throw new TouchstoneError('not-found', `there is no picture ${sha256} for this caller`)
      const body = Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength)
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      // Asked every time: who signs in next with the same browser may not see it, and what is not kept any more is gone.
      void reply.header('cache-control', 'private, no-cache').header('etag', etag)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send(undefined as never)
      return reply
        .header('content-type', 'image/webp')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('content-disposition', 'inline')
        .send(body as never)
    },
  })
}
