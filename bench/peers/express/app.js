// What people write with Express: an INSERT for each event, committed before the answer.
import express from 'express'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.BENCH_DSN, max: 16 })
const app = express()
app.use(express.json({ limit: '1mb' }))

const insert = 'INSERT INTO bench.events (user_id, event, timestamp, properties) VALUES ($1, $2, $3, $4)'
const complete = (event) => ['event', 'user_id', 'timestamp'].every((name) => typeof event?.[name] === 'string')

app.post('/track', async (request, response) => {
  const events = request.body.events ?? [request.body]
  if (!events.every(complete)) return response.status(400).json({ error: 'Invalid data' })
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    for (const event of events) {
      await client.query(insert, [event.user_id, event.event, event.timestamp, event.properties])
    }
    await client.query('COMMIT')
    response.json({ status: 'ok', accepted: events.length })
  } catch (error) {
    await client.query('ROLLBACK')
    response.status(503).json({ error: 'unavailable' })
  } finally {
    client.release()
  }
})

app.listen(Number(process.env.PORT), '127.0.0.1')
