package store

import (
	"strings"

	"gorm.io/gorm"

	"earshot/models"
)

// chronology is a list in the order in which its rows were created. The newest
// first is an order of its own: a cursor of one means nothing in the other.
type chronology[Row, Item any] struct {
	name string                       // of its cursors
	sort string                       // "created_at", or "-created_at" for the newest first
	key  func(Row) (int64, models.ID) // created_at and id
	item func(Row) (Item, error)
}

// page reads one page of what query finds.
func (c chronology[Row, Item]) page(query *gorm.DB, page Page) (List[Item], error) {
	list := List[Item]{}
	name, order, beyond := c.name+" "+c.sort, "created_at, id", "(created_at, id) > (?, ?)"
	if strings.HasPrefix(c.sort, "-") {
		order, beyond = "created_at DESC, id DESC", "(created_at, id) < (?, ?)"
	}
	after, err := decodeCursor(page.Cursor, name)
	if err != nil {
		return list, err
	}
	if list.Total, err = page.count(query); err != nil {
		return list, err
	}
	if after != nil {
		query = query.Where(beyond, after.Value, after.ID)
	}
	var rows []Row
	if err := query.Order(order).Limit(page.Limit + 1).Find(&rows).Error; err != nil {
		return list, translate(err)
	}
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		created, id := c.key(rows[page.Limit-1])
		list.NextCursor = cursor{List: name, Value: created, ID: id}.encode()
	}
	for _, row := range rows {
		item, err := c.item(row)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, item)
	}
	return list, nil
}
