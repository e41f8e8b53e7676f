// A brand's names, price bands and authorised sellers: read, and written by analysts or by its own rights holder.
import { brandSchema, type Brand } from '../../domain/brand.ts'
import type { Caller } from '../../domain/access.ts'
import { TouchstoneError } from '../../errors.ts'
import { checkBrands } from '../../pipeline/brands.ts'
import { callerOf } from '../access.ts'
import { brandBodySchema, brandParamsSchema, MAX_OWN_ALIASES } from '../contract.ts'
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
        'The role brand writes its own brand, with at most 200 aliases; what weighs its brand against others (`copied`, `source`) ' +
        'stays as it is. Names that cost too much to look for are refused as `brand-invalid`.',
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
      const brand = caller.role === 'brand' ? asWritable(asked, await reference.brand(brandId)) : asked
      checkBrands([brand])
      const { added } = await reference.upsertBrands([brand], caller.subject)
      return reply.code(added > 0 ? 201 : 200).send(brand)
    },
  })
}

/** What a rights holder may write: not how much its brand counts beside others, nor more than every listing can bear. */
function asWritable(asked: Brand, standing: Brand | undefined): Brand {
  if (asked.aliases.length > MAX_OWN_ALIASES) {
    throw new TouchstoneError('invalid', `aliases: must be at most ${MAX_OWN_ALIASES} for the role brand`, {
      path: '/aliases',
    })
  }
  return { ...asked, copied: standing?.copied ?? 'unknown', source: standing?.source ?? '' }
}

const noBrand = (brandId: string) => new TouchstoneError('not-found', `there is no brand ${brandId} for this caller`)

/** To a rights holder, brands of others do not exist. */
function requireOwn(caller: Caller, brandId: string): void {
  if (caller.role === 'brand' && !caller.brandIds.includes(brandId)) throw noBrand(brandId)
}
