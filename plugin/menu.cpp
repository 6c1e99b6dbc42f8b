// SPDX-License-Identifier: GPL-2.0-or-later
// Entries start podshark and show its output, or filter; those about the selected packet look at it when they
// are chosen. A further command is an entry in `entries` and one call of show_run().
#include "plugin/menu.h"

#include <epan/plugin_if.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugin/explain.h"
#include "plugin/learn.h"
#include "plugin/main_window.h"
#include "plugin/preferences.h"
#include "plugin/run_program.h"
#include "plugin/text_window.h"

namespace podshark::plugin {
namespace {

// ---- the selected packet ----

using ActionFor = std::optional<Action>(const EndNames&, const EndNames&);

std::optional<Action> action_for(const SelectedPacket& packet, ActionFor* choose) {
  const Ends& ends = packet.facts.ends;
  return choose({ends.src.name, ends.src.pod}, {ends.dst.name, ends.dst.pod});
}

// Nothing when none is selected, which has been told then.
std::optional<SelectedPacket> wanted_packet() {
  const std::optional<SelectedPacket> packet = selected_packet();
  if (!packet) tell("no packet is selected: click one in the packet list first, then choose this again");
  return packet;
}

void filter(ActionFor* choose, const char* without) {
  const std::optional<SelectedPacket> packet = wanted_packet();
  if (!packet) return;
  const std::optional<Action> action = action_for(*packet, choose);
  if (!action) return tell(without);
  carry_out(*action);
}

// ---- running podshark ----

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Empty when it is not found, which has been told then.
std::string program() {
  const Result<std::string> found = podshark_program();
  if (found) return *found;
  tell(found.error().line().c_str());
  return {};
}

/// A command and the window for its output.
struct Run {
  std::string subject;                  ///< of the window's title
  Argv argv;                            ///< nothing happens when argv[0] is empty
  std::string heading = {};             ///< first lines of the text
  std::vector<Action> offers = {};      ///< buttons from the beginning
  std::vector<Action> on_success = {};  ///< buttons once it has succeeded
};

void listen(const std::shared_ptr<Program>& child, const std::shared_ptr<TextWindow>& window,
            std::vector<Action> on_success) {
  const std::weak_ptr<Program> weak = child;  // the listener is the child's own
  const auto output = [window, weak](std::string_view bytes) {
    if (window->write(bytes)) return;
    if (const auto program = weak.lock()) program->stop();
  };
  const auto ended = [window, on_success = std::move(on_success)](int status, bool stopped) {
    window->finish(ending(status, stopped));
    window->when_closed({});
    if (status != 0 || stopped) return;
    for (const Action& action : on_success) window->add_action(action);
  };
  child->listen({output, ended});
}

void show_run(const Run& run) {
  if (run.argv[0].empty()) return;
  const auto child = Program::start(run.argv);
  if (!child) return tell(child.error().line().c_str());
  const auto window = TextWindow::open(run.subject);
  if (!window) return;
  const std::weak_ptr<Program> weak = *child;
  const auto stop = [weak] {
    if (const auto program = weak.lock()) program->stop();
  };
  window->when_closed(stop);
  window->add_button("Stop", stop);
  for (const Action& action : run.offers) window->add_action(action);
  window->write(run.heading + shown(run.argv) + "\n\n");
  listen(*child, window, run.on_success);
}

// ---- the entries ----

void filter_on_container() {
  filter(container_action, "the selected packet names no container: choose a packet with a podman.name");
}

void filter_on_pod() {
  filter(pod_action, "neither end of the selected packet is known to be in a pod: choose a packet of one");
}

void show_text(const std::string& subject, const std::string& text, const std::vector<Action>& offers) {
  const auto window = TextWindow::open(subject);
  if (!window) return;
  for (const Action& action : offers) window->add_action(action);
  window->write(text);
}

// `verb` is the window's subject too.
void ask(const char* verb, Argv (*command)(const std::string&, const Question&)) {
  const std::optional<SelectedPacket> packet = wanted_packet();
  if (!packet) return;
  const Result<Question> asked = question(*packet);
  if (!asked) return tell(asked.error().line().c_str());
  std::vector<Action> offers;
  if (const auto action = flow_action(*packet)) offers.push_back(*action);
  if (!asked->host.empty()) return show_text(verb, ask_there(verb, *asked), offers);
  show_run({verb, command(program(), *asked), {}, offers});
}

void check_flow() {
  ask("check", check_command);
}

void probe_endpoint() {
  ask("probe", probe_command);
}

void translated(Result<Action> (*choose)(const SelectedPacket&)) {
  const std::optional<SelectedPacket> packet = wanted_packet();
  if (!packet) return;
  const Result<Action> action = choose(*packet);
  if (!action) return tell(action.error().line().c_str());
  carry_out(*action);
}

void go_to_other_leg() {
  translated(other_leg_action);
}

void filter_on_both_legs() {
  translated(both_legs_action);
}

// What the file knows comes first, and also without podshark; then what is so now.
void explain_flow() {
  const std::optional<SelectedPacket> packet = wanted_packet();
  if (!packet) return;
  const Result<Question> asked = question(*packet);
  if (!asked) return tell(asked.error().line().c_str());
  const Explanation known = explain(*packet, file_index().events().about(sought(*packet)));
  if (!asked->host.empty())
    return show_text("flow", known.text + "\n" + ask_there("check", *asked), known.actions);
  const Result<std::string> podshark = podshark_program();
  if (!podshark)
    return show_text("flow", known.text + "\nNot checked: " + podshark.error().line() + "\n", known.actions);
  show_run({"flow", check_command(*podshark, *asked), known.text + "\nWhat podshark check says now:\n",
            known.actions});
}

void live_containers() {
  std::vector<Action> offers;
  if (const auto packet = selected_packet()) {
    if (const auto action = action_for(*packet, container_action)) offers.push_back(*action);
  }
  show_run({"live containers", list_command(program()), {}, offers});
}

void about() {
  const std::string versions =
      std::string("Podshark plugin " PODSHARK_VERSION " in Wireshark ") + epan_get_version() + "\n\n";
  show_run({"about, doctor", doctor_command(program()), versions});
}

void save_copy(const std::string& original, const char* typed) {
  const Result<std::string> copy = copy_path(typed, original, variable("HOME"));
  if (!copy) return tell(copy.error().line().c_str());
  const std::string podshark = program();
  if (podshark.empty()) return;
  show_run({"annotated copy",
            annotate_command(podshark, original, *copy),
            {},
            {},
            {Action{"Open the copy", {}, 0, *copy}}});
}

void copy_named(gchar** fields, void* data) noexcept {
  const std::unique_ptr<gchar*, void (*)(gchar**)> owner(fields, g_strfreev);
  guarded([&] {
    const std::string original = *static_cast<std::string*>(data);  // a copy: the dialog frees its own
    save_copy(original, fields != nullptr && fields[0] != nullptr ? fields[0] : "");
  });
}

void free_original(void* data) noexcept {
  delete static_cast<std::string*>(data);
}

void ask_for_copy(const OpenFile& file) {
  const funnel_ops_t* ops = funnel_get_funnel_ops();
  if (ops == nullptr || ops->new_dialog == nullptr) return;
  // A capture not saved yet lies in a temporary directory, which is no place for its copy.
  const std::string suggested = suggested_copy(file.path, file.temporary ? variable("HOME") : "");
  const char* names[] = {"Save the copy as", nullptr};
  const char* values[] = {suggested.c_str(), nullptr};
  ops->new_dialog(ops->ops_id, "Podman · save annotated copy", names, values, copy_named,
                  new std::string(file.path), free_original);
}

void save_annotated_copy() {
  const std::optional<OpenFile> file = open_file();
  if (!file || file->path.empty())
    return tell("no capture is open: open or make one first, then save its copy");
  if (file->reading)
    return tell("the capture is still running or being loaded: stop it (Capture → Stop), then save its copy");
  if (file->changed)
    return tell(
        "the capture has changes that are not in its file: save it (File → Save), then save its copy");
  ask_for_copy(*file);
}

struct Entry {
  const char* label;
  const char* tip;
  void (*chosen)();
};

Entry entries[] = {
    {"Filter on this container", "Packets of the container that sent the selected packet, or else gets it",
     filter_on_container},
    {"Filter on its pod", "Packets of the pod at the selected packet's sender, or else its receiver",
     filter_on_pod},
    {"Check NAT and firewall for this flow",
     "What stands in the way of the selected packet's connection (podshark check)", check_flow},
    {"Probe this endpoint", "Whether the selected packet's server can be reached now (podshark probe)",
     probe_endpoint},
    {"Explain this flow", "Who talks to whom, which way, and what this file and podshark check tell of it",
     explain_flow},
    {"Go to the other NAT leg", "The same connection on the other side of its address translation",
     go_to_other_leg},
    {"Filter on both NAT legs", "The selected packet's connection before and after its address translation",
     filter_on_both_legs},
    {"Live containers", "The containers that run now (podshark list)", live_containers},
    {"Save annotated copy…",
     "A copy of this capture that names the containers running now (podshark annotate)", save_annotated_copy},
    {"About / doctor", "Versions, and what a capture depends on (podshark doctor)", about},
};

void chosen(ext_menubar_gui_type /*type*/, gpointer /*gui*/, gpointer entry) noexcept {
  guarded(static_cast<Entry*>(entry)->chosen);
}

}  // namespace

void register_menu(int protocol) {
  ext_menu_t* menu = ext_menubar_register_menu(protocol, "Podman", true);
  ext_menubar_set_parentmenu(menu, "Tools");
  for (Entry& entry : entries) ext_menubar_add_entry(menu, entry.label, entry.tip, chosen, &entry);
  register_preferences(protocol);
  watch_event_loop();
}

}  // namespace podshark::plugin
