// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/output_pump.h"

#include <chrono>
#include <utility>

namespace podshark::extcap {
namespace {

constexpr std::chrono::milliseconds kPause{1};

}  // namespace

OutputPump::~OutputPump() {
  if (output_ == nullptr) return;
  loop_.remove(output_->fd());
  loop_.remove(again_.get());
}

Status OutputPump::watch(Output* output) {
  if (!output->pipe()) return ok();
  Result<UniqueFd> again = make_timer(std::chrono::milliseconds(0));
  if (!again) return again.error();
  again_ = std::move(*again);
  output_ = output;
  // EPOLLERR, always delivered, is the reader closing: also while no packet makes a write fail.
  loop_.add(output_->fd(), 0, [this](std::uint32_t events) { on_writable(events); });
  loop_.add(again_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(again_.get());
    if (pumping_) loop_.change(output_->fd(), EPOLLOUT);
  });
  return ok();
}

void OutputPump::on_writable(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 && output_->backlog() == 0) return hooks_.gone();
  if (Status s = output_->pump(); !s) {
    hooks_.failed(s.error());
    return hooks_.gone();
  }
  if (output_->reader_gone()) return hooks_.gone();
  // A pipe is writable again after every page that is read of it: once a millisecond is enough to keep one
  // of 64 KiB full, and leaves the processor to the rings and to the reader.
  loop_.change(output_->fd(), 0);
  pumping_ = output_->backlog() > 0;
  if (pumping_) arm_once(again_.get(), kPause);
  hooks_.drained();
}

void OutputPump::pump() {
  if (output_ == nullptr || output_->backlog() == 0 || pumping_) return;
  pumping_ = true;
  loop_.change(output_->fd(), EPOLLOUT);
}

}  // namespace podshark::extcap
