// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/clock_watch.h"

#include <charconv>
#include <span>
#include <system_error>
#include <utility>

#include "extcap/remote/far_script.h"
#include "podman/core/clock.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kFirst = 41;  // samples; one is left out
constexpr std::size_t kLater = 9;
constexpr std::int64_t kRoundLimit = 2'000'000'000;  // a long way there and back: fewer will do
constexpr std::chrono::milliseconds kAnswerLimit{1000};
constexpr std::chrono::milliseconds kPause{10'000};
constexpr unsigned kMostUnanswered = 5;
constexpr std::size_t kMostLine = 256;
constexpr std::int64_t kEarliest = 1'000'000'000'000'000'000;  // 2001, in nanoseconds
constexpr std::int64_t kLatest = 7'000'000'000'000'000'000;

std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t out = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (code != std::errc() || end != digits.data() + digits.size() || out < 0) return std::nullopt;
  return out;
}

}  // namespace

// Without bash 5 each answer starts two programs, which makes the way longer but no less honest.
std::string clock_script() {
  return with_stdin(
      "LC_ALL=C; export LC_ALL; echo ready; "
      "case $(bash -c 'echo $EPOCHREALTIME' 2>/dev/null) in ?*) "
      "exec bash -c 'while read -r -t 30 x; do echo \"$x $EPOCHREALTIME\"; done';; esac; "
      "while x=$(timeout 30 dd bs=64 count=1 2>/dev/null) && [ -n \"$x\" ]; do echo \"$x $(date +%s%N)\"; "
      "done");
}

std::optional<std::int64_t> read_clock(std::string_view text) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    // A date without nanoseconds prints seconds, and as many %N as it likes.
    const auto out = number(text);
    return out && *out >= kEarliest && *out < kLatest ? out : std::nullopt;
  }
  const auto seconds = number(text.substr(0, dot));
  const auto micros = number(text.substr(dot + 1));
  if (!seconds || !micros || text.size() - dot != 7 || *seconds >= kLatest / kSecond) return std::nullopt;
  return *seconds * kSecond + *micros * 1000;
}

Status ClockWatch::begin(const FarHost& host) {
  Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0));
  if (!timer) return timer.error();
  host_ = host;
  if (const Status s = open(); !s) return s;
  timer_ = std::move(*timer);
  loop_.add(timer_.get(), EPOLLIN, [this](std::uint32_t) { on_timer(); });
  return ok();
}

Status ClockWatch::open() {
  rest_.clear();
  Result<Channel> channel =
      Channel::open(ssh_line(host_, clock_script()),
                    {.output =
                         [this](std::span<const std::uint8_t> bytes) {
                           rest_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                         },
                     .line = [](const std::string&) {}});
  if (!channel) return channel.error();
  channel_.emplace(std::move(*channel));
  out_ = channel_->out();
  errors_ = channel_->errors();
  loop_.add(out_, EPOLLIN, [this](std::uint32_t) { on_output(); });
  loop_.add(errors_, EPOLLIN, [this](std::uint32_t) {
    channel_->read_errors();
    if (channel_->errors() < 0) loop_.remove(std::exchange(errors_, -1));
  });
  return ok();
}

void ClockWatch::hang_up() {
  if (!channel_) return;
  if (out_ >= 0) loop_.remove(out_);
  if (errors_ >= 0) loop_.remove(errors_);
  channel_.reset();
}

void ClockWatch::close() {
  hang_up();
  if (timer_) loop_.remove(timer_.get());
  timer_.reset();
}

void ClockWatch::fail(const Error& error) {
  close();
  hooks_.failed(error);
}

void ClockWatch::on_output() {
  channel_->read_output();
  std::size_t from = 0;
  for (std::size_t at = 0; channel_ && (at = rest_.find('\n', from)) != std::string::npos; from = at + 1)
    on_line(std::string_view(rest_).substr(from, at - from));
  if (!channel_) return;
  rest_.erase(0, from);
  if (!channel_->ended() && rest_.size() <= kMostLine) return;
  const bool talks = !channel_->ended();
  const Result<int> code = talks ? Result<int>(0) : channel_->finish();
  if (!code && question_ == 0 && refused_for_now(code.error()) && ++tries_ < kMostTries) {
    hang_up();
    return arm_once(timer_.get(), some_time());
  }
  fail(code ? Error{ErrorKind::unsupported, host_.name + " does not tell its time", {}} : code.error());
}

void ClockWatch::on_line(std::string_view line) {
  // The line's first beat may stand before a question.
  while (!line.empty() && line.front() == '.') line.remove_prefix(1);
  if (question_ == 0 && line == "ready") return begin_round(kFirst);
  const std::size_t blank = line.find(' ');
  if (wanted_ == 0 || blank == std::string_view::npos || line.substr(0, blank) != std::to_string(question_))
    return;
  const std::int64_t received = now_ns();
  const auto there = read_clock(line.substr(blank + 1));
  if (!there)
    return fail({ErrorKind::unsupported, host_.name + " does not tell its time in parts of a second", {}});
  samples_.push_back({sent_, *there, received});
  unanswered_ = 0;
  const bool enough = samples_.size() >= wanted_ || received - round_began_ > kRoundLimit;
  if (enough && samples_.size() > 1) return conclude();
  ask();
}

void ClockWatch::begin_round(std::size_t samples) {
  samples_.clear();
  wanted_ = samples;
  round_began_ = now_ns();
  ask();
}

void ClockWatch::ask() {
  arm_once(timer_.get(), kAnswerLimit);
  const std::string text = std::to_string(++question_) + "\n";
  sent_ = now_ns();
  channel_->say(text);
}

void ClockWatch::on_timer() {
  acknowledge(timer_.get());
  if (!channel_) {
    if (const Status s = open(); !s) fail(s.error());
    return;
  }
  if (wanted_ == 0) return begin_round(kLater);
  if (++unanswered_ < kMostUnanswered) return ask();
  fail({ErrorKind::unreachable, host_.name + " does not answer", {}});
}

void ClockWatch::conclude() {
  wanted_ = 0;
  arm_once(timer_.get(), kPause);
  if (const auto found = clock_offset(samples_)) hooks_.estimated(*found, samples_.back().there);
}

}  // namespace podshark::extcap::remote
