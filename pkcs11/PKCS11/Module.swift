internal import CP11Kit
