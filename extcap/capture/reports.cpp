// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/reports.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kMostLine = 65536;
constexpr std::size_t kMostText = 500;

void clean(std::string& text) {
  text = one_line(text, kMostText);
}

}  // namespace

Reports::Reports(EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {
  Result<Inbox> inbox = Inbox::open();
  if (!inbox) {
    hooks_.line("probes and checks are not recorded: " + inbox.error().line());
    return;
  }
  inbox_.emplace(std::move(*inbox));
  loop_.add(inbox_->fd(), EPOLLIN, [this](std::uint32_t) {
    while (std::optional<annotate::Event> event = inbox_->next())
      deliver(std::move(*event), /* own= */ false);
  });
}

Reports::~Reports() {
  if (inbox_) loop_.remove(inbox_->fd());
  end(rules_);
  end(tool_);
}

void Reports::watch_rules(bool losses) {
  std::vector<std::string> arguments{"check", "--watch", "--json"};
  if (losses) arguments.emplace_back("--losses");
  start(rules_, arguments, [this](const std::string& line) { take_rule_line(line); });
}

void Reports::run(const std::vector<std::string>& arguments) {
  if (tool_.child) return hooks_.line("the last probe or check is still running");
  std::string shown = "podshark";
  for (const std::string& a : arguments) shown += " " + a;
  hooks_.line("$ " + shown);
  start(tool_, arguments, [this](const std::string& line) { hooks_.line(line); });
}

void Reports::start(Stream& stream, const std::vector<std::string>& arguments,
                    std::function<void(const std::string&)> take) {
  std::vector<std::string> argv{"/proc/self/exe"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Result<Child> child = spawn(argv, {}, {.merge_stderr = true});
  if (!child) return hooks_.line(child.error().line());
  stream.child = std::move(*child);
  loop_.add(stream.child.out(), EPOLLIN,
            [this, &stream, take = std::move(take)](std::uint32_t) { read(stream, take); });
}

void Reports::read(Stream& stream, const std::function<void(const std::string&)>& take) {
  std::array<char, 16384> buffer{};
  const ssize_t n = ::read(stream.child.out(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) stream.rest.append(buffer.data(), static_cast<std::size_t>(n));
  std::size_t from = 0;
  for (std::size_t at = 0; (at = stream.rest.find('\n', from)) != std::string::npos; from = at + 1)
    take(stream.rest.substr(from, at - from));
  stream.rest.erase(0, from);
  if (stream.rest.size() > kMostLine) stream.rest.clear();
  if (n <= 0) end(stream);
}

void Reports::end(Stream& stream) {
  if (!stream.child) return;
  loop_.remove(stream.child.out());
  stream = Stream();
}

// Anything but a record is the watcher's reason for giving up.
void Reports::take_rule_line(const std::string& line) {
  Result<annotate::Event> event = annotate::decode_event(line);
  if (!event) return hooks_.line("firewall changes are not shown: " + one_line(line, kMostText));
  if (event->kind == "firewall" || event->kind == "drop") deliver(std::move(*event), /* own= */ true);
}

// `own`: of a child of ours, not of any process of the user's.
void Reports::deliver(annotate::Event event, bool own) {
  if (event.kind != "probe" && event.kind != "check" && event.kind != "firewall" && !own) return;
  for (std::string* text : {&event.what, &event.container_id, &event.container, &event.link, &event.detail,
                            &event.id, &event.protocol, &event.verdict, &event.reason, &event.fix})
    clean(*text);
  event.links.clear();
  hooks_.record(std::move(event));
}

}  // namespace podshark::extcap
