package badgerdb

import "golang.org/x/sys/windows"

func diskSpace(dir string) (free, total uint64, err error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(p, &free, &total, nil)
	return free, total, err
}

func freeBytes(dir string) (int64, error) {
	n, _, err := diskSpace(dir)
	return int64(n), err
}

func totalBytes(dir string) (int64, error) {
	_, n, err := diskSpace(dir)
	return int64(n), err
}
