// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/inventory_watch.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "extcap/capture/method.h"
#include "podman/annotate/codec.h"
#include "podman/discover/storage.h"

namespace podshark::extcap {
namespace {

constexpr std::chrono::milliseconds kMostRetry{60000};
constexpr std::size_t kMostLine = std::size_t{1} << 20U;
constexpr std::chrono::milliseconds kAgain{2000};
constexpr std::chrono::milliseconds kDebounce{200};  // a container start is four or more events

// Reads what is there; false at end of file or error.
bool drain(int fd, const std::function<void(const char*, std::size_t)>& take) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) {
      take(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN;
  }
}

}  // namespace

InventoryWatch::InventoryWatch(EventLoop& loop, Callback on_inventory, OnEvent on_event, OnProblem on_problem)
    : loop_(loop),
      on_inventory_(std::move(on_inventory)),
      on_event_(std::move(on_event)),
      on_problem_(std::move(on_problem)) {
  if (Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0))) retry_ = std::move(*timer);
  loop_.add(retry_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(retry_.get());
    start();
    refresh();  // what happened meanwhile
  });
  if (Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0))) debounce_ = std::move(*timer);
  loop_.add(debounce_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(debounce_.get());
    begin_reading();
  });
}

InventoryWatch::~InventoryWatch() {
  stop_events();
  if (listing_) loop_.remove(listing_.out());
  loop_.remove(debounce_.get());
  loop_.remove(retry_.get());
}

void InventoryWatch::start() {
  // Listening would create storage for a user who has none (and then has no containers to hear of).
  if (!discover::has_storage(discover::calling_user())) return;
  // Under a lease: without it podman would outlive a killed podshark until the next event, however far away.
  Result<Child> child = spawn(leased({"podman", "--remote=false", "events", "--stream", "--format", "json",
                                      "--filter", "type=container", "--filter", "type=pod"}),
                              {}, {.lease = true});
  if (!child) return;  // no podman, no hints: the minute refresh and the other signs remain
  events_ = std::move(*child);
  loop_.add(events_.out(), EPOLLIN, [this](std::uint32_t) { on_podman_event(); });
}

void InventoryWatch::stop_events() {
  if (!events_) return;
  loop_.remove(events_.out());
  events_ = Child();
}

void InventoryWatch::on_podman_event() {
  std::string text;
  if (!drain(events_.out(), [&](const char* data, std::size_t size) { text.append(data, size); })) {
    stop_events();
    arm_once(retry_.get(), retry_after_);
    retry_after_ = std::min(retry_after_ * 2, kMostRetry);
  }
  if (text.empty()) return;
  take_lines(text);
  refresh();
}

void InventoryWatch::take_lines(const std::string& text) {
  line_ += text;
  std::size_t from = 0;
  for (std::size_t end = 0; (end = line_.find('\n', from)) != std::string::npos; from = end + 1) {
    const Result<api::ContainerEvent> event =
        api::parse_container_event(std::string_view(line_).substr(from, end - from));
    if (event) on_event_(*event);
  }
  line_.erase(0, from);
  if (line_.size() > kMostLine) line_.clear();
}

void InventoryWatch::refresh() {
  arm_once(debounce_.get(), kDebounce);
}

void InventoryWatch::begin_reading() {
  if (listing_) {
    again_ = true;
    return;
  }
  Result<Child> child = spawn({"/proc/self/exe", "list", "--json", "--all"});
  if (!child) {
    if (on_problem_ && !std::exchange(told_, true)) on_problem_(child.wrap("read what runs"));
    return arm_once(debounce_.get(), kAgain);
  }
  told_ = false;
  listing_ = std::move(*child);
  listed_.clear();
  loop_.add(listing_.out(), EPOLLIN, [this](std::uint32_t) { on_listing(); });
}

void InventoryWatch::on_listing() {
  const bool more = drain(listing_.out(), [&](const char* data, std::size_t size) {
    if (listed_.size() <= annotate::kMaxInventoryJson) listed_.append(data, size);
  });
  if (!more) finish_listing();
}

void InventoryWatch::finish_listing() {
  loop_.remove(listing_.out());
  listing_ = Child();
  Result<annotate::InventoryPart> part = annotate::decode_inventory(listed_);
  if (std::exchange(again_, false)) refresh();
  if (part) on_inventory_(std::move(part->inventory));
}

}  // namespace podshark::extcap
