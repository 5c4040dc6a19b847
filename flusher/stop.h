// The wish to stop, and waiting in a way that notices it. Signal handlers only set a flag.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace weir::flusher {

// SIGTERM, SIGINT and SIGHUP ask to stop; SIGPIPE is ignored, since a broken connection is an error
// of the call that meets it.
void catch_stop_signals();

bool stop_requested();

// Sleeps, until it is asked to stop at the latest.
void wait_for(std::chrono::milliseconds time);

enum class Wake : std::uint8_t { readable, timeout, stop };

// A wait that heeds the wish to stop, or one for what has to be finished before.
enum class Heed : std::uint8_t { stop, nothing };

// Waits until `fd` can be read (or has ended), until it is asked to stop, or for `time`.
Wake wait_readable(int fd, std::chrono::milliseconds time, Heed heed = Heed::stop);

// What else has to be done all the time, and so every 100 ms in all of these waits too.
void while_waiting(std::function<void()> work);

// Does it now: for waits that are not of this file.
void work_meanwhile();

}  // namespace weir::flusher
