// With the rights that the README asks an administrator of Kafka for, and no others, the gate works. Real: the README's table, a Kafka with
// access control, PostgreSQL, the whole gate.
import { readFileSync } from 'node:fs'
import kafkajs, { type AclEntry } from 'kafkajs'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examineBrokers } from '../../src/adapters/kafka-log/examine-brokers.ts'
import { examineTopics } from '../../src/adapters/kafka-log/examine-topics.ts'
import { topicNames } from '../../src/events/topics.ts'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { freshTopic, ownBrokersOrSkip, uniqueName, withAdmin } from '../support/kafka/kafka.ts'
import { startGateUnderTest } from '../support/running-gate.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

/** Rows of the table: what of, with which prefix, and what may be done to it; `Create` is for a gate that makes its topics itself. */
function rightsOfReadme(): {
  readonly resource: string
  readonly end: string
  readonly operations: readonly string[]
}[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| ([a-z ]+) with the prefix `P(.)` \| (.*) \|$/gm)]
  return rows.map(([, resource = '', end = '', said = '']) => ({
    resource,
    end,
    operations: [...said.matchAll(/\b(Read|Write|Describe|DescribeConfigs|Create)\b/g)].map(([word]) => word),
  }))
}

const RESOURCES: Readonly<Record<string, AclEntry['resourceType']>> = {
  topics: AclResourceTypes.TOPIC,
  groups: AclResourceTypes.GROUP,
  'transactional ids': AclResourceTypes.TRANSACTIONAL_ID,
}
const OPERATIONS: Readonly<Record<string, AclEntry['operation']>> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  Create: AclOperationTypes.CREATE,
}

describe.runIf(ownBrokersOrSkip())('a user of Kafka with the rights that the README names', () => {
  let cluster: KafkaCluster
  beforeAll(async () => {
    cluster = await startCluster({
      security: true,
      settings: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // Who comes by the plain listener: the administrator.
        'super.users': 'User:ANONYMOUS',
      },
    })
  })
  afterAll(async () => cluster?.stop())

  /** Connection settings of a user who has the rights on one prefix, without those of `left`. */
  async function allow(prefix: string, ...left: string[]): Promise<Record<string, string>> {
    const { name, password } = cluster.secured?.stranger ?? { name: '', password: '' }
    const acl = rightsOfReadme().flatMap(({ resource, end, operations }) =>
      operations.flatMap((operation): AclEntry[] =>
        left.includes(operation)
          ? []
          : [
              {
                resourceType: RESOURCES[resource] ?? AclResourceTypes.UNKNOWN,
                resourceName: `${prefix}${end}`,
                resourcePatternType: ResourcePatternTypes.PREFIXED,
                principal: `User:${name}`,
                host: '*',
                operation: OPERATIONS[operation] ?? AclOperationTypes.UNKNOWN,
                permissionType: AclPermissionTypes.ALLOW,
              },
            ],
      ),
    )
    await withAdmin(cluster.brokers, (admin) => admin.createAcls({ acl }))
    return {
      KAFKA_BROKERS: (cluster.secured?.sasl ?? []).join(','),
      KAFKA_SASL_MECHANISM: 'scram-sha-256',
      KAFKA_SASL_USERNAME: name,
      KAFKA_SASL_PASSWORD: password,
      TOUCHSTONE_TOPIC_PREFIX: prefix,
    }
  }

  it('makes the topics, decides, publishes, and is told what doctor asks', async () => {
    expect(rightsOfReadme().map(({ resource }) => resource)).toEqual(Object.keys(RESOURCES))
    const prefix = uniqueName('rights')
    const env = await allow(prefix)
    const t = await startGateUnderTest(env, undefined, cluster.brokers)
    try {
      await t.submit({ listingId: 'L-1' })
      await t.raw(Buffer.from('not JSON'))
      expect((await t.settled()).decisions.map(({ listingId }) => listingId)).toEqual(['L-1'])
      expect(await t.deadLetters()).toHaveLength(1)
      const logger = pino({ level: 'silent' })
      const connection = {
        brokers: cluster.secured?.sasl ?? [],
        clientId: 'test',
        sasl: { mechanism: 'plain', username: 'stranger', password: env['KAFKA_SASL_PASSWORD'] ?? '' } as const,
      }
      const wish = { topic: t.gate.topics.listings, partitions: 3, retentionHours: 1 }
      const [examined] = await examineTopics(connection, [wish], { logger })
      expect(examined?.settings.filter(({ found }) => found === 'not told')).toEqual([])
      const { groups } = await examineBrokers(connection, Object.values(t.gate.groups), logger)
      expect([...groups.values()].map(({ members }) => members.length)).toEqual([1, 1])
    } finally {
      await t.stop()
    }
  })

  it('needs no Create where somebody else made the topics', async () => {
    const prefix = uniqueName('made')
    for (const name of Object.values(topicNames(prefix))) await freshTopic(cluster.brokers, { name })
    const t = await startGateUnderTest(await allow(prefix, 'Create'), undefined, cluster.brokers)
    try {
      await t.submit({ listingId: 'L-1' })
      expect((await t.settled()).decisions).toHaveLength(1)
      expect(await t.deadLetters()).toEqual([])
    } finally {
      await t.stop()
    }
  })
})
