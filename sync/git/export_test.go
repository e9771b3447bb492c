package git

// CacheUses is how many bytes a cache accounts for.
func CacheUses(c *Cache) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for _, element := range c.entries {
		sum += element.Value.(*cached).cost
	}
	if sum != c.bytes-c.left || len(c.entries) != c.recent.Len() {
		return -1
	}
	return sum
}
