// Which methods an address takes, so that a wrong method is told apart from a wrong address.
import type { FastifyInstance } from 'fastify'

export interface AllowedMethods {
  /** Methods of the routes that a path matches; empty where there is none. */
  of(path: string): readonly string[]
}

/** Watches routes as they are declared. */
export function watchMethods(api: FastifyInstance): AllowedMethods {
  const routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = []
  api.addHook('onRoute', ({ url, method }) => {
    routes.push({ parts: url.split('/'), methods: typeof method === 'string' ? [method] : method })
  })
  return {
    of(path) {
      const parts = path.split('/')
      const matching = routes.filter(
        (r) => r.parts.length === parts.length && r.parts.every((p, i) => p.startsWith(':') || p === parts[i]),
      )
      return [...new Set(matching.flatMap((r) => r.methods))].toSorted()
    },
  }
}
