// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/panel.h"

#include <array>
#include <cstdio>
#include <variant>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr unsigned kLossPause = 10;  // seconds between two lines about loss

struct Totals {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
};

Totals totals(const annotate::Event& stats) {
  Totals sum;
  for (const auto& l : stats.links) {
    sum.received += l.received;
    sum.dropped += l.dropped;
  }
  return sum;
}

std::string share(const Totals& t) {
  const std::uint64_t all = t.received + t.dropped;
  if (t.dropped == 0) return std::to_string(t.dropped) + " (0 %)";
  std::array<char, 64> text{};
  const double percent = 100.0 * static_cast<double>(t.dropped) / static_cast<double>(all);
  (void)std::snprintf(text.data(), text.size(), " (%.*f %%)", percent < 0.1 ? 4 : 1, percent);
  return std::to_string(t.dropped) + text.data();
}

}  // namespace

std::string loss_text(const annotate::Event& stats) {
  return "dropped " + share(totals(stats));
}

std::vector<std::string> tool_arguments(const RunTool& tool, const std::string& default_target) {
  std::string target = tool.target.empty() ? default_target : tool.target;
  if (target.empty()) return {};
  std::vector<std::string> out{tool.probe ? "probe" : "check"};
  if (const std::size_t at = target.find('>'); at != std::string::npos) {
    out.push_back("--from=" + std::string(trim(std::string_view(target).substr(0, at))));
    target = trim(std::string_view(target).substr(at + 1));
  }
  const std::size_t name = target.starts_with("pod/") ? 4 : 0;
  if (tool.probe && target.find_first_of(":/", name) == std::string::npos) out.emplace_back("--all-ports");
  out.emplace_back("--");
  out.push_back(std::move(target));
  return out;
}

Panel::Panel(Control* control, EventLoop& loop, Hooks hooks)
    : control_(control != nullptr && control->fd() >= 0 ? control : nullptr),
      loop_(loop),
      hooks_(std::move(hooks)) {
  if (control_ != nullptr) loop_.add(control_->fd(), EPOLLIN, [this](std::uint32_t) { on_command(); });
}

Panel::~Panel() {
  if (control_ != nullptr) loop_.remove(control_->fd());
}

void Panel::on_command() {
  while (const std::optional<ToolbarCommand> command = control_->next()) {
    if (const auto* mark = std::get_if<Mark>(&*command)) {
      hooks_.mark(mark->text);
    } else if (const auto* pause = std::get_if<PauseFollowing>(&*command)) {
      hooks_.pause_following(pause->paused);
    } else if (const auto* tool = std::get_if<RunTool>(&*command)) {
      run_tool(*tool);
    } else {
      explain_loss();
    }
  }
  if (control_->ended()) loop_.remove(control_->fd());
}

void Panel::explain_loss() {
  const annotate::Event stats = hooks_.statistics();
  line(loss_text(stats) + " since the start");
  for (const auto& l : stats.links)
    line("  " + l.container + "/" + l.link + ": " + std::to_string(l.received) + " received, " +
         share({l.received, l.dropped}) + " dropped");
}

void Panel::run_tool(const RunTool& tool) {
  const std::vector<std::string> arguments = tool_arguments(tool, hooks_.default_target());
  if (arguments.empty()) return line("type a target first, for example web:80");
  hooks_.run(arguments);
}

void Panel::show(const annotate::Event& event) {
  if (event.kind != "stats" && event.kind != "inventory" && event.kind != "nat")
    line(event.kind + ": " + event.detail);
}

void Panel::line(const std::string& text) {
  if (control_ != nullptr) control_->log(text);
}

void Panel::tick(const annotate::Event& stats) {
  if (control_ == nullptr) return;
  control_->show_loss(loss_text(stats));
  if (quiet_ > 0) --quiet_;
  const std::uint64_t dropped = totals(stats).dropped;
  if (dropped <= told_ || quiet_ > 0) return;
  line("loss: " + std::to_string(dropped - told_) + " packets more, in all " + share(totals(stats)));
  told_ = dropped;
  quiet_ = kLossPause;
}

}  // namespace podshark::extcap
