// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/far_run.h"

#include <poll.h>
#include <signal.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <ostream>
#include <thread>

#include "extcap/probe/stop.h"
#include "extcap/remote/channel.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/pcapng_feed.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostWaiting = std::size_t{64} << 20U;  // for a slow reader; then ssh waits
constexpr std::chrono::seconds kAnswerLimit{60};              // a person types
constexpr std::chrono::seconds kEndLimit{8};                  // the far side flushes and ends
constexpr std::chrono::milliseconds kLook{300};               // for signals that are blocked

int fail(std::ostream& err, const std::string& verb, const Error& error) {
  err << "podshark " << verb << ": " << error.line() << '\n';
  return static_cast<int>(error.kind);
}

int until(Clock::time_point when) {
  return static_cast<int>(
      std::max<long>(0, std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count()));
}

struct BytesHolder {
  wire::Bytes bytes;
  BytesHolder() = default;
  BytesHolder(const BytesHolder&) = delete;
  BytesHolder& operator=(const BytesHolder&) = delete;
  ~BytesHolder() { wire::free_bytes(&bytes); }
};

}  // namespace

Result<std::optional<FarHost>> take_host(std::vector<std::string>& words) {
  for (auto it = words.begin(); it != words.end(); ++it) {
    if (*it == "--") break;
    const bool joined = it->starts_with("--host=");
    if (*it != "--host" && !joined) continue;
    if (!joined && it + 1 == words.end()) return Error{ErrorKind::usage, "--host names no host", {}};
    Result<FarHost> host = parse_host(joined ? it->substr(7) : *(it + 1));
    words.erase(it, it + (joined ? 1 : 2));
    if (!host) return host.error();
    return std::optional<FarHost>(std::move(*host));
  }
  return std::optional<FarHost>();
}

Result<std::optional<FarHost>> take_source(std::vector<std::string>& words) {
  constexpr std::string_view kJoined = "--from=";
  for (auto it = words.begin(); it != words.end() && *it != "--"; ++it) {
    const bool joined = it->starts_with(kJoined);
    if (!joined && (*it != "--from" || it + 1 == words.end())) continue;
    std::string& word = joined ? *it : *(it + 1);
    const std::string source = joined ? word.substr(kJoined.size()) : word;
    // Without a container it is the machine itself, which needs no podshark.
    if (!is_far(source) || !parse_far_target(source)) continue;
    Result<FarTarget> far = parse_far_target(source);
    word = (joined ? std::string(kJoined) : "") + far->target;
    return std::optional<FarHost>(std::move(far->host));
  }
  return std::optional<FarHost>();
}

std::string take_output(std::vector<std::string>& words) {
  std::string file;
  auto it = words.begin();
  while (it != words.end() && *it != "--") {
    const bool alone = *it == "-o" || *it == "--output";
    const bool long_form = it->starts_with("--output=");
    const bool joined = long_form || (!alone && it->starts_with("-o"));
    // Without a value it stays: podshark there complains.
    if (!joined && (!alone || it + 1 == words.end())) {
      ++it;
      continue;
    }
    file = alone ? *(it + 1) : it->substr(long_form ? 9 : 2);
    it = words.erase(it, it + (alone ? 2 : 1));
  }
  return file == "-" ? "" : file;
}

bool told_to_stop() {
  sigset_t pending;
  return ::sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
          sigismember(&pending, SIGHUP) == 1);
}

namespace {

Result<int> run_once(const FarHost& host, const std::vector<std::string>& words, Asking asking,
                     std::ostream& out, std::ostream& err) {
  Channel::Hooks hooks{
      .output =
          [&](std::span<const std::uint8_t> bytes) {
            out.write(reinterpret_cast<const char*>(bytes.data()),
                      static_cast<std::streamsize>(bytes.size()));
            out.flush();
          },
      .line = [&](const std::string& line) { err << host.name << ": " << line << std::endl; }};
  Result<Channel> channel = Channel::open(ssh_line(host, podshark_script(words), asking), std::move(hooks));
  if (!channel) return channel.error();
  Clock::time_point beat = Clock::now() + Channel::kBeat;
  while (!channel->ended() && out.good()) {
    std::array<pollfd, 2> waiting{{{channel->out(), POLLIN, 0}, {channel->errors(), POLLIN, 0}}};
    (void)::poll(waiting.data(), waiting.size(), until(beat));
    if (waiting[1].revents != 0) channel->read_errors();
    if (waiting[0].revents != 0) channel->read_output();
    if (Clock::now() < beat) continue;
    if (channel->silent()) return channel->lost();
    channel->beat();
    beat = Clock::now() + Channel::kBeat;
  }
  return channel->finish();
}

// Nothing has begun there, for want of a place or of an answer to a question. `once`: does it, with that
// Asking.
template <typename Once>
auto asking_if_need_be(const Once& once) {
  auto done = once(Asking::nobody);
  for (unsigned i = 1; i < kMostTries && !done && refused_for_now(done.error()) && !told_to_stop(); ++i) {
    std::this_thread::sleep_for(some_time());
    done = once(Asking::nobody);
  }
  if (!done && done.error().kind == ErrorKind::permission && can_ask()) done = once(Asking::by_program);
  return done;
}

}  // namespace

int run_there(const FarHost& host, const std::vector<std::string>& words, std::ostream& out,
              std::ostream& err) {
  const Result<int> code =
      asking_if_need_be([&](Asking asking) { return run_once(host, words, asking, out, err); });
  return code ? *code : fail(err, words.front(), code.error());
}

namespace {

Result<std::optional<std::string>> output_once(const FarHost& host, const std::string& script, Asking asking,
                                               std::chrono::milliseconds limit) {
  if (asking != Asking::nobody) limit += kAnswerLimit;
  constexpr std::size_t kMost = std::size_t{64} << 20U;
  std::string text;
  std::string said;
  Result<Channel> channel = Channel::open(
      ssh_line(host, script, asking), {.output =
                                           [&](std::span<const std::uint8_t> b) {
                                             text.append(reinterpret_cast<const char*>(b.data()), b.size());
                                           },
                                       .line = [&](const std::string& line) { said = line; }});
  if (!channel) return channel.error();
  const Clock::time_point end = Clock::now() + limit;
  Clock::time_point beat = Clock::now() + Channel::kBeat;
  while (!channel->ended() && Clock::now() < end && text.size() < kMost) {
    std::array<pollfd, 2> waiting{{{channel->out(), POLLIN, 0}, {channel->errors(), POLLIN, 0}}};
    (void)::poll(waiting.data(), waiting.size(), until(std::min(end, Clock::now() + kLook)));
    if (waiting[1].revents != 0) channel->read_errors();
    if (waiting[0].revents != 0) channel->read_output();
    // Where signals are blocked, nobody else would end this for half a minute.
    if (told_to_stop()) return Error{ErrorKind::unreachable, host.name + " has not answered yet", {}};
    if (Clock::now() < beat) continue;
    if (channel->silent()) return channel->lost();
    channel->beat();
    beat = Clock::now() + Channel::kBeat;
  }
  const bool whole = channel->ended();
  const Result<int> code = channel->finish();
  if (!whole)
    return Error{ErrorKind::unreachable,
                 host.name + " did not answer within " + std::to_string(limit.count() / 1000) + " s",
                 {}};
  if (!code) return code.error();
  if (*code == kNotThere) return std::optional<std::string>();
  if (*code != 0) return Error{static_cast<ErrorKind>(*code), host.name + ": " + said, {}};
  return std::optional<std::string>(std::move(text));
}

}  // namespace

Result<std::string> script_output(const FarHost& host, const std::string& script,
                                  std::chrono::milliseconds limit) {
  Result<std::optional<std::string>> text =
      asking_if_need_be([&](Asking asking) { return output_once(host, script, asking, limit); });
  if (!text) return text.error();
  if (!*text) return not_there(host);
  return std::move(**text);
}

Result<std::optional<std::string>> output_there(const FarHost& host, const std::vector<std::string>& words,
                                                std::chrono::milliseconds limit) {
  return asking_if_need_be(
      [&](Asking asking) { return output_once(host, podshark_script(words), asking, limit); });
}

namespace {

Result<int> capture_once(const FarHost& host, const std::vector<std::string>& words, Asking asking,
                         Output& output, const std::function<void(const std::string&)>& line) {
  const Result<UniqueFd> signals = probing::stop_signals();
  if (!signals) return signals.error();
  BytesHolder ready;
  PcapngFeed feed({.block = [&](std::span<const std::uint8_t> block) {
    if (!wire::reserve(&ready.bytes, block.size())) throw std::bad_alloc();
    std::memcpy(ready.bytes.data + ready.bytes.size, block.data(), block.size());
    ready.bytes.size += block.size();
  }});
  Status outcome = ok();
  Channel::Hooks hooks{
      .output =
          [&](std::span<const std::uint8_t> bytes) {
            if (!outcome) return;
            if (const Status fed = feed.feed(bytes); !fed)
              outcome = Error{fed.error().kind, host.name + ": what came " + fed.error().what, {}};
          },
      .line = line};
  Result<Channel> channel = Channel::open(ssh_line(host, podshark_script(words), asking), std::move(hooks));
  if (!channel) return channel.error();
  Clock::time_point beat = Clock::now() + Channel::kBeat;
  std::optional<Clock::time_point> end;
  const auto stop = [&] {
    channel->end();
    if (!end) end = Clock::now() + kEndLimit;
  };
  while (!channel->ended() && outcome && !output.reader_gone() && (!end || Clock::now() < *end)) {
    if (end && !channel->began()) return 0;  // nothing runs there that had to end
    const bool full = output.backlog() > kMostWaiting;
    std::array<pollfd, 4> waiting{
        {{full ? -1 : channel->out(), POLLIN, 0},
         {channel->errors(), POLLIN, 0},
         {end ? -1 : signals->get(), POLLIN, 0},
         // Without POLLOUT the reader's end is told all the same.
         {output.pipe() ? output.fd() : -1, static_cast<short>(output.backlog() > 0 ? POLLOUT : 0), 0}}};
    (void)::poll(waiting.data(), waiting.size(), until(end ? std::min(beat, *end) : beat));
    if (waiting[2].revents != 0) stop();
    if (waiting[1].revents != 0) channel->read_errors();
    if (waiting[0].revents != 0) channel->read_output();
    if ((waiting[3].revents & (POLLERR | POLLHUP)) != 0) break;
    if (waiting[3].revents != 0) outcome = output.pump();
    if (outcome && ready.bytes.size > 0) outcome = output.write(&ready.bytes);
    if (Clock::now() < beat) continue;
    if (full) channel->excuse();
    if (channel->silent()) {
      outcome = channel->lost();
      break;
    }
    if (!end) channel->beat();
    beat = Clock::now() + Channel::kBeat;
  }
  // Otherwise nothing of it is awaited: it is cut off with this function.
  const Result<int> code = outcome ? channel->finish() : Result<int>(0);
  if (outcome) outcome = output.drain(/* hurry= */ end.has_value());
  if (!outcome) return outcome.error();
  if (const std::string untaken = output.untaken(); !untaken.empty()) line(untaken);
  if (output.reader_gone() || end) return 0;
  return code;
}

}  // namespace

Result<int> capture_there(const FarHost& host, const std::vector<std::string>& words, Output& output,
                          const std::function<void(const std::string&)>& line) {
  return asking_if_need_be([&](Asking asking) { return capture_once(host, words, asking, output, line); });
}

}  // namespace podshark::extcap::remote
