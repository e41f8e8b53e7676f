// The detectors, as their own registry describes them.
import { signalsSchema } from '../contract.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

export function signalRoutes(api: Api, { signals }: RouteServices): void {
  const items = signals.map(({ name, version, label, description, mode, sources }) => ({
    name,
    version,
    label,
    description,
    mode,
    sources: [...sources],
  }))
  api.route({
    method: 'GET',
    url: '/v1/signals',
    config: { access: ['analyst', 'operator', 'admin'] },
    schema: { tags: ['signals'], summary: 'The detectors', response: { 200: signalsSchema, ...PROBLEM_RESPONSES } },
    handler: async () => ({ items }),
  })
}
