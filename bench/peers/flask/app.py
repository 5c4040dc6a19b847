"""What people write with Flask: an INSERT for each event, committed before the answer."""
import os
import psycopg2
from psycopg2.extras import Json
from flask import Flask, jsonify, request

app = Flask(__name__)
connection = None

INSERT = "INSERT INTO bench.events (user_id, event, timestamp, properties) VALUES (%s, %s, %s, %s)"
INSERT_CRASH = (
    "INSERT INTO bench.crashes (crash_type, error_message, stack_trace, timestamp, context) VALUES (%s, %s, %s, %s, %s)"
)
CRASH_TEXTS = ("crash_type", "error_message", "stack_trace", "timestamp")


def database():
    global connection
    if connection is None:
        connection = psycopg2.connect(os.environ["BENCH_DSN"])
    return connection


@app.post("/track")
def track():
    data = request.get_json(silent=True)
    if data is None:
        return jsonify(error="Invalid JSON"), 400
    events = data.get("events", [data])
    for event in events:
        if not all(isinstance(event.get(name), str) for name in ("event", "user_id", "timestamp")):
            return jsonify(error="Invalid data"), 400
    db = database()
    with db.cursor() as cursor:
        for event in events:
            cursor.execute(INSERT, (event["user_id"], event["event"], event["timestamp"], Json(event.get("properties"))))
    db.commit()
    return jsonify(status="ok", accepted=len(events))


@app.post("/crash")
def crash():
    data = request.get_json(silent=True)
    if data is None:
        return jsonify(error="Invalid JSON"), 400
    if not all(isinstance(data.get(name), str) for name in CRASH_TEXTS):
        return jsonify(error="Invalid data"), 400
    db = database()
    with db.cursor() as cursor:
        cursor.execute(INSERT_CRASH, (*(data[name] for name in CRASH_TEXTS), Json(data.get("context"))))
    db.commit()
    return jsonify(status="ok", accepted=1)
