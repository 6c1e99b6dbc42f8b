// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/main_window.h"

#include <cfile.h>
#include <epan/epan_dissect.h>
#include <epan/funnel.h>
#include <epan/plugin_if.h>
#include <wsutil/report_message.h>

#include "plugin/learn.h"

namespace podshark::plugin {
namespace {

// Points into Wireshark's own; the next thing this thread does is to copy it.
struct Seen {
  const char* path = nullptr;
  std::uint32_t frame = 0;
  bool reading = false;
  bool temporary = false;
  bool changed = false;
};

void* look(capture_file* file, void* seen) noexcept {
  if (file->state == FILE_CLOSED) return nullptr;
  *static_cast<Seen*>(seen) = {file->filename, file->current_frame != nullptr ? file->current_frame->num : 0,
                               file->state == FILE_READ_IN_PROGRESS, bool(file->is_tempfile),
                               bool(file->unsaved_changes)};
  return seen;
}

// Wireshark keeps the dissection whose details it shows, so that nothing has to be remembered per packet.
void* look_at_packet(capture_file* file, void* packet) noexcept {
  if (file->state == FILE_CLOSED || bool(file->read_lock) || file->current_frame == nullptr) return nullptr;
  const epan_dissect_t* shown = file->edt;
  if (shown == nullptr || shown->session != file->epan || shown->pi.num != file->current_frame->num)
    return nullptr;
  *static_cast<SelectedPacket*>(packet) = describe_packet(&shown->pi, shown->tree);
  return packet;
}

struct Visible {
  std::uint32_t frame = 0;
  bool visible = false;
};

void* look_for_frame(capture_file* file, void* data) noexcept {
  auto* sought = static_cast<Visible*>(data);
  if (file->state == FILE_CLOSED || file->provider.frames == nullptr) return nullptr;
  const frame_data* frame = frame_data_sequence_find(file->provider.frames, sought->frame);
  sought->visible = frame != nullptr && frame->passed_dfilter != 0;
  return data;
}

// A frame that the display filter hides can not be selected, and Wireshark would say nothing.
void go_to(std::uint32_t frame) {
  Visible sought{frame};
  (void)plugin_if_get_capture_file(look_for_frame, &sought);
  if (sought.visible) return plugin_if_goto_frame(frame);
  tell(("packet " + std::to_string(frame) +
        " is not displayed: clear the display filter, then choose it again")
           .c_str());
}

void open_capture(const std::string& path) {
  const funnel_ops_t* ops = funnel_get_funnel_ops();
  if (ops == nullptr || ops->open_file == nullptr) return;
  char* error = nullptr;
  const bool opened = bool(ops->open_file(ops->ops_id, path.c_str(), "", &error));
  if (!opened && error != nullptr) tell(error);
  g_free(error);
}

}  // namespace

void tell(const char* line) {
  report_failure("Podshark: %s", line);
}

std::optional<OpenFile> open_file() {
  Seen seen;
  if (plugin_if_get_capture_file(look, &seen) == nullptr) return std::nullopt;
  return OpenFile{seen.path != nullptr ? seen.path : "", seen.frame, seen.reading, seen.temporary,
                  seen.changed};
}

std::optional<SelectedPacket> selected_packet() {
  SelectedPacket packet;
  if (plugin_if_get_capture_file(look_at_packet, &packet) == nullptr) return std::nullopt;
  return packet;
}

void carry_out(const Action& action) {
  if (!action.filter.empty()) plugin_if_apply_filter(action.filter.c_str(), true);
  if (action.frame != 0) go_to(action.frame);
  if (!action.file.empty()) open_capture(action.file);
}

}  // namespace podshark::plugin
