// Models: the versions with their cards, training new ones, promoting and going back; live in running workers within two seconds.
import { TouchstoneError } from '../../errors.ts'
import type { Activation } from '../../learning/ports.ts'
import { callerOf } from '../access.ts'
import {
  activationSchema,
  modelOrAllParamsSchema,
  modelParamsSchema,
  modelsSchema,
  promoteBodySchema,
  rollbackBodySchema,
  trainBodySchema,
  trainingSchema,
} from '../model-contract.ts'
import type { Activated } from '../ports.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

const ANALYSTS = ['analyst', 'admin'] as const

const stepOf = ({ name, version, before }: Activation) => ({ name, version, before })

const activationOf = ({ text, scope, overruled, warnings, ...done }: Activated) => ({
  ...stepOf(done),
  ...(text === undefined ? {} : { text: stepOf(text) }),
  ...(scope === undefined ? {} : { scope }),
  overruled: [...overruled],
  warnings: [...warnings],
})

export function modelRoutes(api: Api, { learning }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/models',
    config: { access: ANALYSTS },
    schema: {
      tags: ['models'],
      summary: 'All versions, what decides, and how the last training ended',
      response: { 200: modelsSchema, ...PROBLEM_RESPONSES },
    },
    handler: async () => {
      const { items, shipped, training } = await learning.list()
      return { items: [...items], shipped, training }
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/models/:name/train',
    config: { access: ANALYSTS },
    schema: {
      tags: ['models'],
      summary: 'Train a model, or all, on the verdicts; GET /v1/models says how it ends',
      description: 'One at a time; nothing is promoted.',
      params: modelOrAllParamsSchema,
      body: trainBodySchema,
      response: { 202: trainingSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const state = await learning.train(request.params.name, request.body?.seed ?? 1, callerOf(request).subject)
      return reply.code(202).header('location', '/v1/models').send(state)
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/models/:name/promote',
    config: { access: ANALYSTS },
    schema: {
      tags: ['models'],
      summary: 'Let a version decide, or a fusion and its text model by one change',
      params: modelParamsSchema,
      body: promoteBodySchema,
      response: { 200: activationSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request) => {
      const { version, text, force } = request.body
      const { name } = request.params
      if (name === 'text' && text !== undefined)
        throw new TouchstoneError('invalid', 'text goes with a version of the fusion', { path: '/text' })
      const asked = name === 'text' ? { text: version } : { fusion: version, text }
      return activationOf(await learning.promote(asked, { by: callerOf(request).subject, force }))
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/models/:name/rollback',
    config: { access: ANALYSTS },
    schema: {
      tags: ['models'],
      summary: 'Let the version decide that decided before, what ships at last; `all`: of both models, by one change',
      params: modelOrAllParamsSchema,
      body: rollbackBodySchema,
      response: { 200: activationSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request) => {
      const force = request.body?.force ?? false
      const done = await learning.rollback(request.params.name, { by: callerOf(request).subject, force })
      return activationOf(done)
    },
  })
}
