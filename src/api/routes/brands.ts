// A brand's names, price bands and authorised sellers: read, and written by analysts or by its own rights holder.
import { isDeepStrictEqual } from 'node:util'
import { brandSchema, type Brand } from '../../domain/brand.ts'
import type { Caller } from '../../domain/access.ts'
import { TouchstoneError } from '../../errors.ts'
import { checkBrands } from '../../pipeline/brands.ts'
import { callerOf } from '../access.ts'
import { brandBodySchema, brandParamsSchema } from '../contract.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

export function brandRoutes(api: Api, { reference }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/brands/:brandId',
    config: { access: ['analyst', 'brand', 'admin'] },
    schema: {
      tags: ['brands'],
      summary: 'A brand',
      params: brandParamsSchema,
      response: { 200: brandSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { brandId } = request.params
      requireOwn(callerOf(request), brandId)
      const brand = await reference.brand(brandId)
      if (brand === undefined) throw noBrand(brandId)
      return reply.send(brand)
    },
  })

  api.route({
    method: 'PUT',
    url: '/v1/brands/:brandId',
    config: { access: ['analyst', 'brand', 'admin'] },
    schema: {
      tags: ['brands'],
      summary: 'Write a brand; live in running workers within two seconds',
      description:
        'The role brand writes its own brand. What weighs it against others (`copied`, `source`) stays as it is, and what decides ' +
        'which listings name it is for analysts: a `name`, an alias that is not there in the same kind, `ambiguous` made false or ' +
        'a class taken away is refused as `forbidden`; it may take aliases away. Names that cost too much to look for are ' +
        'refused as `brand-invalid`.',
      params: brandParamsSchema,
      body: brandBodySchema,
      response: { 200: brandSchema, 201: brandSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { brandId } = request.params
      const caller = callerOf(request)
      requireOwn(caller, brandId)
      if (request.body.brandId !== undefined && request.body.brandId !== brandId) {
        throw new TouchstoneError('invalid', `brandId must be ${brandId}, as in the address, or left out`, {
          path: '/brandId',
        })
      }
      const asked = { ...request.body, brandId }
      const written = (standing: Brand | undefined) => (caller.role === 'brand' ? asWritable(asked, standing) : asked)
      // Compiled before, because it takes long and others wait; what stands by the time of writing decides once more what may be
      // written, and is compiled again only where that makes it another brand.
      const before = written(await reference.brand(brandId))
      checkBrands([before])
      const change = (standing: Brand | undefined): Brand => {
        const merged = written(standing)
        if (!isDeepStrictEqual(merged, before)) checkBrands([merged])
        return merged
      }
      const { brand, added } = await reference.changeBrand(brandId, change, caller.subject)
      return reply.code(added ? 201 : 200).send(brand)
    },
  })
}

/**
 * What a rights holder may write: not how much its brand counts beside others, nor anything by which more listings name
 * it. With "dial" among its aliases it would read, block and clear what is other brands'.
 */
function asWritable(asked: Brand, standing: Brand | undefined): Brand {
  const deny = (path: string, what: string) => {
    throw new TouchstoneError(
      'forbidden',
      `${path.slice(1)}: ${what} decides which listings name a brand: ask an analyst or an administrator of this deployment`,
      { path },
    )
  }
  if (standing === undefined) return deny('/name', 'making a brand, as naming it,')
  if (asked.name !== standing.name) deny('/name', 'the name')
  const given = new Set(standing.aliases.map(said))
  const more = asked.aliases.findIndex((alias) => !given.has(said(alias)))
  if (more >= 0) deny(`/aliases/${more}`, 'adding or changing an alias, other than taking it away,')
  if (standing.ambiguous && !asked.ambiguous) deny('/ambiguous', 'saying that the name is no word')
  // A case for a device is another maker's goods: without the class it would be a listing of the brand.
  if (standing.classes.some((one) => !asked.classes.includes(one))) deny('/classes', 'taking a class away')
  return { ...asked, copied: standing.copied, source: standing.source }
}

const said = ({ text, kind }: Brand['aliases'][number]): string => JSON.stringify([text, kind])

const noBrand = (brandId: string) => new TouchstoneError('not-found', `there is no brand ${brandId} for this caller`)

/** To a rights holder, brands of others do not exist. */
function requireOwn(caller: Caller, brandId: string): void {
  if (caller.role === 'brand' && !caller.brandIds.includes(brandId)) throw noBrand(brandId)
}
