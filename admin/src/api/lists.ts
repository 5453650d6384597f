// Lists of the API, page by page.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';

export interface Page<T> {
  items: T[];
  next?: string;
}

// usePages reads a list: the first page, and each next when it is asked for.
export function usePages<T>(key: readonly unknown[], read: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>, options: { enabled?: boolean; every?: number } = {}) {
  const q = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(pageParam || undefined, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
    enabled: options.enabled,
    refetchInterval: options.every,
  });
  return {
    data: q.data?.pages.flatMap((p) => p.items),
    error: q.error,
    isPending: q.isPending,
    refetch: q.refetch,
    more: q.hasNextPage ? () => void q.fetchNextPage() : undefined,
    loadingMore: q.isFetchingNextPage,
  };
}
