// What people write with Express: an INSERT for each event, committed before the answer.
import express from 'express'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.BENCH_DSN })
const app = express()
app.use(express.json({ limit: '1mb' }))

const insert = 'INSERT INTO bench.events (user_id, event, timestamp, properties) VALUES ($1, $2, $3, $4)'
const complete = (event) => ['event', 'user_id', 'timestamp'].every((name) => typeof event?.[name] === 'string')

const values = (event) => [event.user_id, event.event, event.timestamp, event.properties]

// One event is a statement that commits by itself; several are one transaction.
async function store (events) {
  if (events.length === 1) return pool.query(insert, values(events[0]))
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    for (const event of events) await client.query(insert, values(event))
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

app.post('/track', async (request, response) => {
  const events = request.body.events ?? [request.body]
  if (!events.every(complete)) return response.status(400).json({ error: 'Invalid data' })
  try {
    await store(events)
    response.json({ status: 'ok', accepted: events.length })
  } catch (error) {
    response.status(503).json({ error: 'unavailable' })
  }
})

const crashTexts = ['crash_type', 'error_message', 'stack_trace', 'timestamp']
const insertCrash = 'INSERT INTO bench.crashes (crash_type, error_message, stack_trace, timestamp, context) VALUES ($1, $2, $3, $4, $5)'

app.post('/crash', async (request, response) => {
  const crash = request.body
  if (!crashTexts.every((name) => typeof crash?.[name] === 'string')) return response.status(400).json({ error: 'Invalid data' })
  try {
    await pool.query(insertCrash, [...crashTexts.map((name) => crash[name]), crash.context])
    response.json({ status: 'ok', accepted: 1 })
  } catch (error) {
    response.status(503).json({ error: 'unavailable' })
  }
})

app.listen(Number(process.env.PORT), '127.0.0.1')
