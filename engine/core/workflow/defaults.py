"""What every workflow has without declaring it: the fields, forms and flags of the standing acts.

If a workflow declares a field, form or flag of the same name, its own counts.
"""

STANDARD = """
[fields.absent_since]
type  = "date"
label = { vi = "Vắng từ ngày", en = "Absent since" }
when  = "past"
[fields.causes]
type  = "choices"
label = { vi = "Nguyên nhân", en = "Causes" }
choices = [
  { code = "econ", label = { vi = "Hoàn cảnh kinh tế gia đình khó khăn", en = "Hardship at home" } },
  { code = "harvest", label = { vi = "Theo cha mẹ lên rẫy, mùa vụ", en = "In the fields with parents, harvest" } },
  { code = "weak", label = { vi = "Học lực yếu", en = "Weak results" } },
  { code = "far", label = { vi = "Nhà xa trường, đi lại khó khăn", en = "Far from school, hard to reach" } },
  { code = "disaster", label = { vi = "Thiên tai, dịch bệnh", en = "Disaster or epidemic" } },
  { code = "other", label = { vi = "Nguyên nhân khác", en = "Other cause" } },
  { code = "unknown", label = { vi = "Chưa rõ nguyên nhân", en = "Not known yet" } },
]
[fields.note]
type  = "text"
label = { vi = "Ghi chú", en = "Note" }
max_length = 2000
[fields.reason]
type  = "text"
label = { vi = "Lý do", en = "Reason" }
max_length = 1000
[fields.support_kind]
type  = "choice"
label = { vi = "Loại hỗ trợ", en = "Kind of support" }
choices = [
  { code = "cash", label = { vi = "Tiền mặt", en = "Cash" }, unit = { vi = "đồng", en = "VND" } },
  { code = "rice", label = { vi = "Gạo", en = "Rice" }, unit = { vi = "kg", en = "kg" } },
  { code = "kit", label = { vi = "Đồ dùng học tập", en = "School supplies" }, unit = { vi = "bộ", en = "set" } },
  { code = "other", label = { vi = "Hỗ trợ khác", en = "Other support" }, unit = { vi = "lượt", en = "time" } },
]
[fields.quantity]
type  = "decimal"
label = { vi = "Số lượng", en = "Quantity" }
least = 0.01
[fields.value]
type  = "money"
label = { vi = "Giá trị ước tính (đồng)", en = "Estimated value (VND)" }
least = 0
[fields.giver]
type  = "line"
label = { vi = "Nhà hảo tâm / đơn vị hỗ trợ", en = "Donor" }
[fields.given_on]
type  = "date"
label = { vi = "Ngày trao", en = "Given on" }
when  = "past"
[fields.received_by]
type  = "line"
label = { vi = "Người nhận", en = "Received by" }
[fields.hold_until]
type  = "date"
label = { vi = "Tạm dừng đến ngày", en = "On hold until" }
when  = "future"
[fields.next_on]
type  = "date"
label = { vi = "Ngày hẹn tiếp theo", en = "Next date" }
when  = "future"

[forms.open]
needs = ["absent_since", "causes"]
may   = ["note"]
[forms.note]
needs = ["note"]
[forms.accept]
may   = ["note"]
[forms.decline]
needs = ["reason"]
[forms.assign]
may   = ["note"]
[forms.support]
needs = ["support_kind", "quantity", "given_on"]
may   = ["value", "giver", "received_by", "note"]
[forms.check_in]
needs = ["note"]
may   = ["next_on"]
[forms.hold]
needs = ["reason", "hold_until"]

[flags]
safety     = { vi = "Cần chú ý an toàn", en = "Safety" }
first_time = { vi = "Vắng lần đầu", en = "First time" }
disability = { vi = "Khuyết tật", en = "Disability" }
"""
