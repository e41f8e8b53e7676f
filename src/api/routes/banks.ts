// Banks of reference pictures: read and filled by analysts, or by rights holders for their own brands.
import { z } from 'zod'
import { TouchstoneError } from '../../errors.ts'
import { bankSchema } from '../../domain/bank.ts'
import type { Caller } from '../../domain/access.ts'
import { readReferencePicture } from '../../pipeline/banks/reference-picture.ts'
import type { BankScope } from '../../rights/bank-ports.ts'
import { callerOf } from '../access.ts'
import {
  addedImageSchema,
  bankBodySchema,
  bankImageAnswerSchema,
  bankImageParamsSchema,
  bankImagesQuerySchema,
  bankImagesSchema,
  bankParamsSchema,
  banksSchema,
  pictureBodySchema,
} from '../bank-contract.ts'
import { checkKnown } from '../known-fields.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'
import { boundUploads } from '../uploads.ts'

const ACCESS = ['analyst', 'brand', 'admin'] as const
const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif']

/** Of one file; an animation has 64 frames that look unlike the others at most. */
const MOST_FRAMES = 1_000

/** To a rights holder, banks of others do not exist. */
export const bankScope = (caller: Caller): BankScope =>
  caller.role === 'brand' ? { brandIds: caller.brandIds } : 'all'

export function bankRoutes(api: Api, services: RouteServices): void {
  const { banks, reference } = services
  api.route({
    method: 'GET',
    url: '/v1/banks',
    config: { access: ACCESS },
    schema: { tags: ['banks'], summary: 'Banks of pictures', response: { 200: banksSchema, ...PROBLEM_RESPONSES } },
    handler: async (request, reply) => reply.send({ items: await banks.banks(bankScope(callerOf(request))) }),
  })

  api.route({
    method: 'POST',
    url: '/v1/banks',
    config: { access: ACCESS },
    schema: {
      tags: ['banks'],
      summary: 'Make a bank, or change its name or its match distance',
      description:
        'What is not said of a bank that is there stays as it is. Kind and owner stay while it has pictures. The role brand names one of its brands; a bank of allowed pictures, ' +
        'which outweighs all others, is made by analysts, and so is one with a distance beyond 31.',
      body: bankBodySchema,
      response: { 200: bankSchema, 201: bankSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request)
      const asked = request.body
      const { bankId, kind, brandId } = asked
      if (caller.role === 'brand') {
        const before = await banks.bank(bankId, bankScope(caller))
        assertOwn(caller, { kind: kind ?? before?.kind, brandId: brandId === undefined ? before?.brandId : brandId })
      }
      if (typeof brandId === 'string' && (await reference.brand(brandId)) === undefined)
        throw new TouchstoneError('invalid', `brandId: there is no brand ${brandId}`, { path: '/brandId' })
      const { bank, isNew } = await banks.upsertBank(asked, caller.subject, bankScope(caller))
      return reply.code(isNew ? 201 : 200).send(bank)
    },
  })

  api.route({
    method: 'GET',
    url: '/v1/banks/:bankId/images',
    config: { access: ACCESS },
    schema: {
      tags: ['banks'],
      summary: 'The pictures of a bank, each with where it came from',
      params: bankParamsSchema,
      querystring: bankImagesQuerySchema,
      response: { 200: bankImagesSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { bankId } = request.params
      const { after, limit, state } = request.query
      if ((await banks.bank(bankId, bankScope(callerOf(request)))) === undefined) throw noBank(bankId)
      const items = await banks.images(bankId, { after, limit, state })
      const last = items.length < limit ? undefined : items.at(-1)
      return reply.send({ items, ...(last === undefined ? {} : { next: last.imageId }) })
    },
  })

  void api.register(async (scope) => addRoute(scope, services))

  api.route({
    method: 'GET',
    url: '/v1/banks/:bankId/images/:imageId',
    config: { access: ACCESS },
    schema: {
      tags: ['banks'],
      summary: 'A picture of a bank: where it came from, and where it can be seen',
      params: bankImageParamsSchema,
      response: { 200: bankImageAnswerSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { bankId, imageId } = request.params
      const image = await banks.image(bankId, imageId, bankScope(callerOf(request)))
      if (image === undefined) throw noImage(imageId)
      return reply.send({ ...image, href: `/v1/pictures/${image.sha256}` })
    },
  })

  api.route({
    method: 'DELETE',
    url: '/v1/banks/:bankId/images/:imageId',
    config: { access: ACCESS },
    schema: {
      tags: ['banks'],
      summary: 'Take a picture out of a bank; live in running workers within two seconds',
      params: bankImageParamsSchema,
      response: { 204: z.null(), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { bankId, imageId } = request.params
      const caller = callerOf(request)
      if (!(await banks.removeImage(bankId, imageId, caller.subject, bankScope(caller)))) throw noImage(imageId)
      return reply.code(204).send(null)
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/banks/:bankId/images/:imageId/vouch',
    config: { access: ['analyst', 'admin'] },
    schema: {
      tags: ['banks'],
      summary:
        'Vouch for a picture that a rights holder added: it counts against listings that do not name its brand too',
      params: bankImageParamsSchema,
      response: { 204: z.null(), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { bankId, imageId } = request.params
      if (!(await banks.vouch(bankId, imageId, callerOf(request).subject))) throw noImage(imageId)
      return reply.code(204).send(null)
    },
  })

  for (const [action, on, summary] of [
    ['quarantine', true, 'Put a picture into quarantine for all: it matches nothing until it is released'],
    [
      'release',
      false,
      'Let a picture out of quarantine, also of one for some marketplaces, and answer its alerts: somebody has looked at it',
    ],
  ] as const) {
    api.route({
      method: 'POST',
      url: `/v1/banks/:bankId/images/:imageId/${action}`,
      config: { access: ACCESS },
      schema: {
        tags: ['banks'],
        summary,
        params: bankImageParamsSchema,
        response: { 204: z.null(), ...PROBLEM_RESPONSES },
      },
      handler: async (request, reply) => {
        const { bankId, imageId } = request.params
        const caller = callerOf(request)
        if (!(await banks.quarantine(bankId, imageId, caller.subject, on, bankScope(caller))))
          throw new TouchstoneError(
            'not-found',
            `there is no picture ${imageId} for this caller that is ${on ? 'active' : 'in quarantine or has an alert'}`,
          )
        return reply.code(204).send(null)
      },
    })
  }
}

function addRoute(scope: Api, { banks, reader, limits }: RouteServices): void {
  boundUploads(scope)
  scope.addContentTypeParser(
    PICTURE_TYPES,
    { parseAs: 'buffer', bodyLimit: limits.pictureBytes },
    (_request, body, done) => done(null, body),
  )
  scope.route({
    method: 'POST',
    url: '/v1/banks/:bankId/images',
    config: { access: ACCESS },
    // Base64 makes four bytes of three.
    bodyLimit: Math.ceil(limits.pictureBytes / 3) * 4 + 4_096,
    schema: {
      tags: ['banks'],
      summary: 'Add a picture to a bank; live in running workers within two seconds',
      description:
        'The file itself as JPEG, PNG, WebP, AVIF or GIF, or JSON with it in base64. It is read, hashed and re-encoded; one ' +
        'that is nearly blank is refused as `picture-blank`, one that is damaged as `picture-unreadable`. Of an animation every frame that looks unlike the others is added, each as a picture of its own; one of which not all frames can be seen is refused as `picture-unreadable`. A file that the bank has already is answered with 200 and what is there of it.',
      consumes: ['application/json', ...PICTURE_TYPES],
      params: bankParamsSchema,
      body: pictureBodySchema,
      response: { 200: addedImageSchema, 201: addedImageSchema, ...PROBLEM_RESPONSES },
    },
    // The body may be the file itself, which no schema describes.
    validatorCompiler: (route) => {
      const check = checkKnown(route as unknown as Parameters<typeof checkKnown>[0])
      return (value: unknown) =>
        route.httpPart === 'body' && Buffer.isBuffer(value) ? { value: { data: value } } : check(value)
    },
    handler: async (request, reply) => {
      const { bankId } = request.params
      const caller = callerOf(request)
      // Before the work: a picture for somebody else's bank is not even read.
      if ((await banks.bank(bankId, bankScope(caller))) === undefined) throw noBank(bankId)
      const { data, file } = request.body
      const picture = await readReferencePicture(reader, data)
      const source = { kind: 'api' as const, ...(file === undefined ? {} : { file }) }
      const { added } = await banks.addImages(bankId, [{ picture, source }], caller.subject, bankScope(caller))
      const [image, ...frames] = added
      // What verdicts put there leaves with them, and is nothing that an upload adds again.
      const there =
        image === undefined ? await banks.images(bankId, { limit: MOST_FRAMES, sha256: picture.sha256 }) : []
      const present = there.filter((one) => one.source.verdictId === undefined)
      return reply.code(image === undefined ? 200 : 201).send({
        ...(image === undefined ? {} : { added: image }),
        ...(frames.length === 0 ? {} : { frames }),
        ...(present.length === 0 ? {} : { present }),
        sha256: picture.sha256,
      })
    },
  })
}

/** What an allowed picture matches is no evidence for anybody: no single rights holder may say that. */
function assertOwn(caller: Caller, bank: { kind: string | undefined; brandId: string | null | undefined }): void {
  if (bank.brandId === undefined || bank.brandId === null || !caller.brandIds.includes(bank.brandId))
    throw new TouchstoneError('invalid', `brandId must be one of ${caller.brandIds.join(', ')}`, { path: '/brandId' })
  if (bank.kind === 'allowed')
    throw new TouchstoneError('invalid', 'kind must be genuine, counterfeit or logo for the role brand', {
      path: '/kind',
    })
}

const noBank = (bankId: string) => new TouchstoneError('not-found', `there is no bank ${bankId} for this caller`)
const noImage = (imageId: string) =>
  new TouchstoneError('not-found', `there is no picture ${imageId} in that bank for this caller`)
