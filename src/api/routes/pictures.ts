// A kept picture, re-encoded by us: whoever reviews never loads a stranger's bytes, nor tells a stranger that they look.
import { TouchstoneError } from '../../errors.ts'
import { callerOf } from '../access.ts'
import { pictureParamsSchema } from '../bank-contract.ts'
import { PROBLEM_RESPONSES, textResponse } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'
import { bankScope } from './banks.ts'

export function pictureRoutes(api: Api, { banks }: RouteServices): void {
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
      const picture = await banks.picture(sha256, bankScope(callerOf(request)))
      if (picture === undefined) throw new TouchstoneError('not-found', `there is no picture ${sha256} for this caller`)
      const body = Buffer.from(picture.body.buffer, picture.body.byteOffset, picture.body.byteLength)
      return (
        reply
          .header('content-type', 'image/webp')
          // Named by its content, so it never changes; only the caller's own cache may have it.
          .header('cache-control', 'private, max-age=31536000, immutable')
          .header('content-security-policy', "default-src 'none'; sandbox")
          .header('content-disposition', 'inline')
          .send(body as never)
      )
    },
  })
}
