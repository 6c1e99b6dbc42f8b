// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "extcap/capture/event_loop.h"
#include "podman/api/parse.h"
#include "podman/core/process.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Keeps the inventory current during a capture without ever blocking it: `podman events` and refresh() are
/// hints, after which a child (`podshark list --json --all`) reads the state and `on_inventory` gets it.
/// Podman failing is survived: the next hint tries again.
class InventoryWatch {
 public:
  using Callback = std::function<void(model::Inventory&&)>;

  /// `loop` must outlive the object.
  /// `on_event` is called at once for every container event of podman's, before the state is read.
  using OnEvent = std::function<void(const api::ContainerEvent&)>;
  /// `on_problem` is told why the state can not be read now, once until it can; it is tried again.
  using OnProblem = std::function<void(const Error&)>;
  InventoryWatch(EventLoop& loop, Callback on_inventory, OnEvent on_event, OnProblem on_problem = {});
  ~InventoryWatch();
  InventoryWatch(const InventoryWatch&) = delete;
  InventoryWatch& operator=(const InventoryWatch&) = delete;

  /// Starts listening to podman's events; when that ends it is tried again, less and less often.
  void start();
  /// Reads the state soon; hints within a short time are one reading.
  void refresh();

 private:
  void on_podman_event();
  void take_lines(const std::string& text);
  void begin_reading();
  void on_listing();
  void stop_events();
  void finish_listing();

  EventLoop& loop_;
  Callback on_inventory_;
  OnEvent on_event_;
  OnProblem on_problem_;
  UniqueFd debounce_;
  UniqueFd retry_;
  std::chrono::milliseconds retry_after_{2000};
  Child events_;
  Child listing_;
  std::string listed_;
  std::string line_;    // of podman's events, not yet complete
  bool again_ = false;  // a hint came while a listing was under way
  bool told_ = false;   // of a problem
};

}  // namespace podshark::extcap
