// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/text_window.h"

#include <type_traits>
#include <utility>

#include "plugin/main_window.h"

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostText = 1024 * 1024;  // beyond it, it is no longer for people, and Qt becomes slow

using Handle = std::shared_ptr<TextWindow>;
using Pressed = std::function<void()>;
using ButtonAnswer =
    std::invoke_result_t<funnel_bt_cb_t, funnel_text_window_t*, void*>;  // a bool of that version

ButtonAnswer on_press(funnel_text_window_t* /*window*/, void* data) noexcept {
  guarded([&] {
    const Pressed pressed = *static_cast<Pressed*>(data);  // a copy: the window may be closed meanwhile
    pressed();
  });
  return true;
}

void free_pressed(void* data) noexcept {
  delete static_cast<Pressed*>(data);
}

}  // namespace

std::shared_ptr<TextWindow> TextWindow::open(const std::string& subject) {
  const funnel_ops_t* ops = funnel_get_funnel_ops();
  if (ops == nullptr || ops->new_text_window == nullptr) return nullptr;
  funnel_text_window_t* window = ops->new_text_window(ops->ops_id, ("Podman · " + subject).c_str());
  if (window == nullptr) return nullptr;
  auto shared = std::make_shared<TextWindow>(window);
  ops->set_close_cb(window, on_close, new Handle(shared));
  return shared;
}

// Afterwards Wireshark reads the buttons, which therefore are not ours to free: see add_button().
void TextWindow::on_close(void* data) noexcept {
  const std::unique_ptr<Handle> handle(static_cast<Handle*>(data));
  TextWindow& self = **handle;
  funnel_get_funnel_ops()->set_close_cb(std::exchange(self.window_, nullptr), nullptr, nullptr);
  guarded([&] {
    const auto closed = std::exchange(self.closed_, {});
    if (closed) closed();
  });
}

void TextWindow::append(const std::string& text) {
  if (window_ != nullptr && !text.empty()) funnel_get_funnel_ops()->append_text(window_, text.c_str());
}

bool TextWindow::write(std::string_view bytes) {
  if (window_ == nullptr || size_ > kMostText) return false;
  const std::string text = lines_.add(bytes);
  append(text);
  size_ += text.size();
  if (size_ <= kMostText) return true;
  append("[more than a mebibyte: cut here]\n");
  return false;
}

void TextWindow::finish(const std::string& line) {
  append(lines_.rest() + line + '\n');
}

void TextWindow::add_button(const std::string& label, std::function<void()> pressed) {
  if (window_ == nullptr) return;
  auto* button = g_new0(funnel_bt_t, 1);
  button->tw = window_;
  button->func = on_press;
  button->data = new Pressed(std::move(pressed));
  button->free_data_fcn = free_pressed;
  button->free_fcn = g_free;
  funnel_get_funnel_ops()->add_button(window_, button, label.c_str());
}

void TextWindow::add_action(const Action& action) {
  add_button(action.label, [action] { carry_out(action); });
}

}  // namespace podshark::plugin
