// The OpenAPI 3.1 document, made from the routes' own schemas: what is checked is what is published.
import swagger from '@fastify/swagger'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from './access.ts'
import { problemSchema } from './contract.ts'
import type { Api } from './services.ts'

/** Every route may answer with a problem; its code says which. */
export const PROBLEM_RESPONSES = {
  default: {
    description: 'A problem; `code` says which.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
}

/** For answers that are not JSON. */
export const textResponse = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: z.string() } },
})

export async function describeRoutes(
  api: Api,
  options: { version: string; publicUrl: string | undefined; cookieName: string },
): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Touchstone',
        version: options.version,
        description: 'Tries every marketplace listing before anyone can buy it.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      ...(options.publicUrl === undefined ? {} : { servers: [{ url: options.publicUrl }] }),
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key; `touchstone keys create` makes one.' },
          session: { type: 'apiKey', in: 'cookie', name: options.cookieName, description: 'A browser session.' },
        },
      },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document)
      const access: Access = document.route.config?.access ?? 'open'
      if (access === 'open') return { schema: { ...schema, security: [] }, url }
      return { schema: { ...schema, security: [{ key: [] }, { session: [] }], 'x-roles': access }, url }
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new Error('the document is of OpenAPI 3')
      for (const path of Object.values(document.openapiObject.paths ?? {}))
        for (const operation of Object.values(path ?? {})) sayBody((operation as Operation).requestBody)
      return document.openapiObject
    },
  })
}

interface Operation {
  readonly requestBody?: Body
}
interface Body {
  required?: boolean
  readonly content: Record<
    string,
    { schema?: { readonly anyOf?: readonly { readonly type?: string }[]; readonly type?: string } }
  >
}

/** What the schemas of a route cannot say: a body may be missing where null is taken, and a picture is its bytes. */
function sayBody(body: Body | undefined): void {
  if (body === undefined) return
  for (const [type, media] of Object.entries(body.content)) {
    if (media.schema?.anyOf?.some((form) => form.type === 'null') === true) body.required = false
    if (type.startsWith('image/')) body.content[type] = { schema: RAW }
  }
}

const RAW = { type: 'string', format: 'binary' } as const
