// SPDX-License-Identifier: GPL-2.0-or-later
// Reasons have other numbers in every kernel, and further subsystems have enums of their own with a number in
// the upper half, so all of these enums are read. conntrack is a module in most distributions: its types are
// in a file beside vmlinux, which is read here because libbpf finds modules only with CAP_SYS_ADMIN.
#include "extcap/drops/kernel_facts.h"

#include <bpf/btf.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace podshark::drops {
namespace {

constexpr const char* kKernel = "/sys/kernel/btf/vmlinux";
constexpr const char* kConntrack = "/sys/kernel/btf/nf_conntrack";

std::string_view name_at(const btf* types, std::uint32_t offset) {
  const char* name = btf__name_by_offset(types, offset);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

// "SKB_DROP_REASON_NO_SOCKET" → "NO_SOCKET"; other subsystems keep their own beginnings.
void add_reason(std::string_view name, std::uint64_t value, std::vector<ReasonName>* out) {
  constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
  if (name.substr(0, kPrefix.size()) == kPrefix) name.remove_prefix(kPrefix.size());
  if (name.empty() || value > UINT32_MAX || out->size() >= kMaxReasons) return;
  ReasonName reason;
  reason.value = static_cast<std::uint32_t>(value);
  std::memcpy(reason.name, name.data(),
              name.size() < sizeof(reason.name) ? name.size() : sizeof(reason.name) - 1);
  out->push_back(reason);
}

void read_reasons(const btf* types, std::vector<ReasonName>* out) {
  const std::uint32_t count = btf__type_cnt(types);
  for (std::uint32_t id = 1; id < count; ++id) {
    const btf_type* t = btf__type_by_id(types, id);
    if (!btf_is_any_enum(t)) continue;
    const std::string_view name = name_at(types, t->name_off);
    if (name.find("drop_reason") == std::string_view::npos || name.find("subsys") != std::string_view::npos)
      continue;
    for (std::uint16_t i = 0; i < btf_vlen(t); ++i) {
      if (btf_is_enum64(t)) {
        add_reason(name_at(types, btf_enum64(t)[i].name_off), btf_enum64_value(btf_enum64(t) + i), out);
      } else {
        const struct btf_enum& e = btf_enum(t)[i];  // the function hides the type
        add_reason(name_at(types, e.name_off), static_cast<std::uint32_t>(e.val), out);
      }
    }
  }
}

const btf_member* member(const btf* types, const btf_type* of, std::string_view name) {
  for (std::uint16_t i = 0; i < btf_vlen(of); ++i) {
    if (name_at(types, btf_members(of)[i].name_off) == name) return btf_members(of) + i;
  }
  return nullptr;
}

const btf_type* structure(const btf* types, const char* name) {
  const std::int32_t id = btf__find_by_name_kind(types, name, BTF_KIND_STRUCT);
  return id < 0 ? nullptr : btf__type_by_id(types, static_cast<std::uint32_t>(id));
}

void read_conntrack(const btf* types, KernelFacts* out) {
  const btf_type* connection = structure(types, "nf_conn");
  const btf_type* hash = structure(types, "nf_conntrack_tuple_hash");
  if (connection == nullptr || hash == nullptr) return;
  const btf_member* tuples = member(types, connection, "tuplehash");
  const btf_member* status = member(types, connection, "status");
  const btf_member* tuple = member(types, hash, "tuple");
  if (tuples == nullptr || status == nullptr || tuple == nullptr) return;
  out->conntrack_tuples = tuples->offset / 8;
  out->conntrack_status = status->offset / 8;
  out->conntrack_tuple = tuple->offset / 8;
  out->conntrack_stride = hash->size;
}

}  // namespace

std::uint32_t KernelFacts::reason(const char* name) const {
  for (const ReasonName& r : reasons) {
    if (std::strcmp(r.name, name) == 0) return r.value;
  }
  return 0;
}

KernelFacts read_kernel_facts() {
  KernelFacts out;
  btf* kernel = btf__parse(kKernel, nullptr);
  if (kernel == nullptr) {
    out.error = errno == 0 ? ENOENT : errno;
    return out;
  }
  read_reasons(kernel, &out.reasons);
  read_conntrack(kernel, &out);
  if (out.conntrack_tuples == 0) {
    if (btf* module = btf__parse_split(kConntrack, kernel); module != nullptr) {
      read_conntrack(module, &out);
      btf__free(module);
    }
  }
  btf__free(kernel);
  return out;
}

}  // namespace podshark::drops
