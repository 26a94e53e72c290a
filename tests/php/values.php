<?php
// Random values of every kind, their dump and what they are, one JSON object a line: {"dump": base64, "truth": tree}.
// Arguments: seed, count. The truth is walked on the values themselves (mangled names of an array cast, reflection), never on the dump.

enum Suit: string { case Hearts = 'h'; case Spades = 's'; }
class Base { public $a = 1; protected $b = [null]; private $c = 'base'; }
class Child extends Base { private $c = 'child'; public ?int $late; public readonly string $once; protected int|float|null $number; }
class Shown { public function __debugInfo() { return ['shown' => true, 7 => "\0odd", 'deep' => ['x' => 1.5]]; } }

$texts = ['', 'a', 'news', 'x y', '0', '-1', '"', '"]=>', "\"]=>\n  int(1)\n  [\"", "\"]=>\n  int(1)\n}\n", '}', "}\n", "\n", "\r\n", 'string(3) "abc"',
    "array(1) {\n  [0]=>\n  NULL\n}\n", ':protected', '":protected]=>', '":"A":private]=>', "\"]=>\n    string(2) \"", "\"]=>\n  uninitialized(int)\n  [\"", '<b>&amp;</b>',
    "\0", "\0\1\2\xff\xfe", "caf\xe9", 'é’“”', '😀', "\u{200f}سوريا", 'UNKNOWN:0', '*RECURSION*', 'k:private', '日本語', "\xef\xbb\xbf", "\$", '{', '[', "']"];

function text(): string {
    global $texts;
    return mt_rand(0, 3) ? $texts[mt_rand(0, count($texts) - 1)] : $texts[mt_rand(0, count($texts) - 1)] . $texts[mt_rand(0, count($texts) - 1)];
}

function scalar(): mixed {
    $floats = [0.0, -0.0, 1.5, -2.25, 1e25, 1.0E-7, 1e15, 123456789012345678.0, NAN, INF, -INF, 5e-324, 0.1 + 0.2];
    switch (mt_rand(0, 9)) {
        case 0: return null;
        case 1: return (bool) mt_rand(0, 1);
        case 2: return [0, -1, 7, PHP_INT_MAX, PHP_INT_MIN, mt_rand()][mt_rand(0, 5)];
        case 3: return $floats[mt_rand(0, count($floats) - 1)];
        case 4: return Suit::cases()[mt_rand(0, 1)];
        case 5: return mt_rand(0, 4) ? text() : str_repeat(text(), mt_rand(1, 300));
        default: return text();
    }
}

function value(int $depth): mixed {
    if ($depth <= 0 || !mt_rand(0, 2)) {
        return mt_rand(0, 30) ? scalar() : STDERR;
    }
    $size = mt_rand(0, 4);
    switch (mt_rand(0, 6)) {
        case 0:
            return array_map(fn () => value($depth - 1), $size ? range(1, $size) : []);
        case 1:
            $object = new stdClass;
            for ($i = 0; $i < $size; $i++) {
                $name = text();
                if ($name === '' || $name[0] !== "\0") {
                    $object->{$name} = value($depth - 1);
                }
            }
            return $object;
        case 2:
            $object = new Child;
            $object->a = value($depth - 1);
            if (mt_rand(0, 1)) {
                $object->late = mt_rand(0, 9);
            }
            return $object;
        case 3:
            return mt_rand(0, 2) ? new ArrayObject([text() => value($depth - 1)]) : new Shown;
        case 4:
            $shared = value($depth - 1);
            $array = ['first' => &$shared, 'same' => &$shared, text() => 1];
            return $array;
        case 5:
            $ring = new stdClass;
            $ring->self = $ring;
            $ring->inner = [value($depth - 1)];
            return $ring;
        default:
            $array = [];
            for ($i = 0; $i < $size; $i++) {
                $array[mt_rand(0, 1) ? text() : mt_rand(-3, 12)] = value($depth - 1);
            }
            return $array;
    }
}

function truth(mixed $value, array $inside = [], bool $reference = false): array {
    $tree = bare($value, $inside);
    return $reference ? $tree + ['reference' => true] : $tree;
}

function bare(mixed $value, array $inside): array {
    if (is_float($value)) {
        return ['float' => is_nan($value) ? 'NAN' : (is_infinite($value) ? ($value > 0 ? 'INF' : '-INF') : var_export($value, true))];
    }
    if (is_string($value)) {
        return ['string' => base64_encode($value)];
    }
    if ($value instanceof Suit) {
        return ['enum' => 'Suit::' . $value->name];
    }
    if (is_resource($value)) {
        return ['resource' => get_resource_id($value), 'type' => get_resource_type($value)];
    }
    if (is_object($value)) {
        if (in_array($value, $inside, true)) {
            return ['recursion' => true];
        }
        return ['class' => get_class($value), 'id' => spl_object_id($value), 'entries' => properties($value, [...$inside, $value])];
    }
    if (is_array($value)) {
        $entries = [];
        foreach ($value as $key => $_) {
            $key_tree = is_int($key) ? ['index' => $key] : ['string' => base64_encode($key)];
            $entries[] = [$key_tree, truth($value[$key], $inside, ReflectionReference::fromArrayElement($value, $key) !== null)];
        }
        return ['entries' => $entries];
    }
    return ['scalar' => $value];
}

function properties(object $object, array $inside): array {
    $entries = [];
    $shown = $object instanceof Shown ? $object->__debugInfo() : get_mangled_object_vars($object);
    if ($object instanceof ArrayObject) {
        $shown = ["\0ArrayObject\0storage" => $object->getArrayCopy()];
    }
    if ($object instanceof Child) {
        // In the order of their declaration, those without a value too.
        $all = ['a', "\0*\0b", "\0Base\0c", "\0Child\0c", 'late', 'once', "\0*\0number"];
        $types = ['late' => '?int', 'once' => 'string', "\0*\0number" => 'int|float|null'];
    } else {
        [$all, $types] = [array_keys($shown), []];
    }
    foreach ($all as $name) {
        $parts = is_string($name) && str_starts_with($name, "\0") ? explode("\0", $name, 3) : null;
        if (is_int($name) && $object instanceof Shown) {
            $key = ['index' => $name];
        } elseif ($parts === null) {
            $key = ['public' => base64_encode((string) $name)];
        } else {
            $key = $parts[1] === '*' ? ['protected' => base64_encode($parts[2])] : ['private' => base64_encode($parts[2]), 'class' => $parts[1]];
        }
        $given = array_key_exists($name, $shown);
        $reference = $given && ReflectionReference::fromArrayElement($shown, $name) !== null;
        $entries[] = [$key, $given ? truth($shown[$name], $inside, $reference) : ['uninitialized' => $types[$name]]];
    }
    return $entries;
}

mt_srand((int) $argv[1]);
for ($i = 0; $i < (int) $argv[2]; $i++) {
    // Every tenth is 50 levels deep.
    $value = value(mt_rand(0, 5));
    for ($level = 0; $i % 10 === 9 && $level < 50; $level++) {
        $value = mt_rand(0, 1) ? [text() => $value] : [$value];
    }
    ob_start();
    var_dump($value);
    echo json_encode(['dump' => base64_encode(ob_get_clean()), 'truth' => truth($value)], JSON_THROW_ON_ERROR, 4096), "\n";
}
